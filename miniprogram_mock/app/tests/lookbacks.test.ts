import { expect, test } from 'vitest'

import { type Draft, draftFrom, emptyDraft, missingIn, recordOf } from '@/pages/lookbacks/drafts'
import { type VisitLine, visitAt, type Visits } from '@/pages/lookbacks/reading'
import { findingWords, placeWords, stopWords } from '@/pages/lookbacks/words'

const draft = (patch: Partial<Draft> = {}): Draft => ({
  ...emptyDraft(new Date('2026-11-24T02:20:00Z')),
  ...{ verdict: 'effective', seen: '现场整洁。' },
  ...patch,
})

test('only the verdict and what was seen must be said', () => {
  expect(Object.keys(missingIn(emptyDraft(), false))).toEqual(['verdict', 'seen'])
  expect(missingIn(draft(), false)).toEqual({})
})

test('mostly effective asks what follows, a correction asks why, days are days', () => {
  expect(Object.keys(missingIn(draft({ verdict: 'mostly_effective', follow_up: ' ' }), false))).toEqual(['follow_up'])
  expect(Object.keys(missingIn(draft(), true))).toEqual(['correction_reason'])
  expect(Object.keys(missingIn(draft({ verdict: 'relapse', rectify_days: '251' }), false))).toEqual(['rectify_days'])
  expect(missingIn(draft({ verdict: 'relapse', rectify_days: '' }), false)).toEqual({})
  expect(Object.keys(missingIn(draft({ verdict: 'mostly_effective', follow_up: '补', rectify_days: '0' }), false))).toEqual([
    'rectify_days',
  ])
})

test('what belongs to another verdict is not sent', () => {
  const typed = { follow_up: '补挂公示牌', rectify_days: '5', correction_reason: '笔误' }
  const sent = recordOf(draft(typed), false)
  expect([sent.follow_up, sent.rectify_days, sent.correction_reason]).toEqual(['', null, ''])
  expect(recordOf(draft({ ...typed, verdict: 'ineffective' }), false).rectify_days).toBe(5)
  expect(recordOf(draft({ ...typed, verdict: 'mostly_effective' }), true)).toMatchObject({
    follow_up: '补挂公示牌',
    rectify_days: 5,
    correction_reason: '笔误',
  })
})

test('what people said is sent beside what was seen, and need not be', () => {
  expect(recordOf(draft({ interview: ' 社区每周巡查。 ' }), false)).toMatchObject({ interview: '社区每周巡查。' })
  expect(recordOf(draft({ interview: undefined }), false).interview).toBe('') // a draft kept before there was the field
})

test('what was found at a line is told with its note', () => {
  expect(findingWords({ finding: 'partly', note: '缺一段' })).toBe('部分到位：缺一段')
  expect(findingWords({ finding: 'met', note: '' })).toBe('到位')
})

test('a refused record comes back as it was filled in', () => {
  const checks = { 0: { finding: 'met', note: '' }, 2: { finding: 'unmet', note: '没有公示' } } as const
  const place = { latitude: 30.59, longitude: 114.31, coarse: true }
  const filled = draft({ checks, place, verdict: 'relapse', rectify_days: '7' })
  expect(draftFrom(recordOf(filled, false))).toEqual(filled)
})

test('a site code opens the visit of its item, an open one before a recorded one', () => {
  const line = (id: string, item: string) => ({ id, item_id: item, site_codes: [] as string[] }) as unknown as VisitLine
  const [a, b, c] = ['a', 'b', 'c'].map((digit) => `${digit.repeat(8)}-0000-7000-8000-000000000000`)
  const visits: Visits = { open: [line(a!, c!)], recorded: [line(b!, c!)] }
  const bare = (id: string) => id.replaceAll('-', '')
  expect(visitAt(bare(c!), visits)?.id).toBe(a)
  expect(visitAt(`pages/lookbacks/visits?scene=${bare(b!)}`, visits)?.id).toBe(b)
  expect(visitAt(encodeURIComponent(`scene=${bare(a!).toUpperCase()}`), visits)?.id).toBe(a)
  for (const strange of ['', '%', 'scene=1', 'https://example.cn/', 'd'.repeat(32)]) {
    expect(visitAt(strange, visits)).toBeUndefined()
  }
})

test("a unit's site code opens the first visit there that is still open", () => {
  const [site, other] = ['a'.repeat(32), 'b'.repeat(32)]
  const line = (id: string, ...codes: string[]) => ({ id, item_id: `item-${id}`, site_codes: codes }) as unknown as VisitLine
  const visits: Visits = { open: [line('1', other!), line('2', site!), line('3', site!)], recorded: [line('4', site!)] }
  expect(visitAt(site!, visits)?.id).toBe('2')
  expect(visitAt(site!, { open: [], recorded: visits.recorded })?.id).toBe('4')
  expect(visitAt(site!, { open: [line('1')], recorded: [] })).toBeUndefined()
})

test('a coarse place is told in two decimals', () => {
  expect(placeWords({ latitude: 30.59, longitude: 114.31, coarse: true })).toBe('北纬 30.59°，东经 114.31°（约一公里的大致位置）')
})

test('a stop of the day says which it is, how many matters wait there and how many are recorded', () => {
  const line = (recorded_at: string | null) => ({ recorded_at }) as unknown as VisitLine
  const stop = (...visits: VisitLine[]) => ({ unit_id: 'u', unit: '建设局', visits })
  expect(stopWords(0, stop(line(null)))).toBe('第 1 站 建设局（1 件）')
  expect(stopWords(1, stop(line('2026-11-24T02:20:00Z'), line(null)))).toBe('第 2 站 建设局（2 件，已记录 1 件）')
})
