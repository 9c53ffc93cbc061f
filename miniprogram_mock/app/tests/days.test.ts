import { expect, test } from 'vitest'

import { dayWords, deadlineWords, instantWords, today, workingDays } from '@/showing/days'

/** National Day 2026, as announced: off from 1 to 7 October, on for it on 20 September and 10 October. */
const CALENDAR = {
  holidays: ['2026-10-01', '2026-10-02', '2026-10-05', '2026-10-06', '2026-10-07'],
  workdays: ['2026-09-20', '2026-10-10'],
  years: [2026],
}

test('working days leave holidays out and count make-up days', () => {
  expect(workingDays(CALENDAR, '2026-09-30', '2026-10-08')).toBe(1)
  expect(workingDays(CALENDAR, '2026-10-08', '2026-10-12')).toBe(3)
  expect(workingDays(CALENDAR, '2026-10-12', '2026-10-08')).toBe(-3)
})

test('a deadline says how many working days are left, or how many it is late', () => {
  expect(deadlineWords('2026-11-27', CALENDAR, '2026-11-24')).toEqual({ text: '11月27日前（还有 3 个工作日）', tone: 'soon' })
  expect(deadlineWords('2026-11-24', CALENDAR, '2026-11-24').text).toBe('今天到期')
  expect(deadlineWords('2026-11-20', CALENDAR, '2026-11-24')).toEqual({ text: '已逾期 2 个工作日（11月20日到期）', tone: 'late' })
  expect(deadlineWords('2026-11-20', CALENDAR, '2026-11-21').text).toBe('已过期限（11月20日）')
})

test('a deadline in a year without a notice says that it is an estimate', () => {
  expect(deadlineWords('2027-01-05', CALENDAR, '2026-12-30').text).toBe('2027年1月5日前（还有约 4 个工作日）')
})

test('days and instants are those of Shanghai', () => {
  expect(today(new Date('2026-11-24T16:30:00Z'))).toBe('2026-11-25')
  expect(instantWords('2026-11-24T16:30:00Z')).toContain('11月25日 00:30')
  expect(dayWords('2025-12-31', '2026-01-01')).toBe('2025年12月31日')
})
