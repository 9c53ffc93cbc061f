/** Days of Shanghai as `YYYY-MM-DD`, counted as the zone's calendar counts them (with 调休). */
import { ref } from 'vue'

import type { Schemas } from '@/api/contract'
import { client } from '@/phone'

import { recall, remember } from './remembered'

export type Calendar = Schemas['CalendarOut']

const DAY_MS = 86_400_000
const NAME = 'calendar'
const WEEKDAYS_ONLY: Calendar = { holidays: [], workdays: [], years: [] }
const known = ref<Calendar>(WEEKDAYS_ONLY)
let asked: Promise<void> | null = null

/** The zone's calendar: as it was known last, then as it is; Monday to Friday before the first answer. */
export function useCalendar() {
  asked ??= ask()
  return known
}

async function ask(): Promise<void> {
  known.value = recall<Calendar>(NAME)?.content ?? WEEKDAYS_ONLY
  try {
    known.value = await client.get('/api/mini/calendar', {})
    remember(NAME, known.value)
  } catch {
    asked = null // the next page asks again; until then the last known calendar serves
  }
}

export function today(now: Date = new Date()): string {
  return shanghai(now.toISOString()).day
}

export function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10)
}

/** How many working days lie after `from` up to and with `until`; minus those between where `until` is earlier. */
export function workingDays(calendar: Calendar, from: string, until: string): number {
  if (until < from) return -workingDays(calendar, until, from)
  let count = 0
  for (let at = Date.parse(from) + DAY_MS; at <= Date.parse(until); at += DAY_MS) {
    if (isWorkingDay(calendar, new Date(at))) count += 1
  }
  return count
}

function isWorkingDay(calendar: Calendar, day: Date): boolean {
  const name = day.toISOString().slice(0, 10)
  const weekday = day.getUTCDay() % 6 !== 0
  return calendar.workdays.includes(name) || (weekday && !calendar.holidays.includes(name))
}

/** 「11月28日」, with the year where it is another one. */
export function dayWords(day: string, now: string = today()): string {
  const [year, month, date] = day.split('-').map(Number)
  const words = `${month}月${date}日`
  return day.slice(0, 4) === now.slice(0, 4) ? words : `${year}年${words}`
}

/** An instant (ISO 8601) as a clock in Shanghai shows it: `YYYY-MM-DD` and `HH:MM`. */
export function shanghai(at: string): { day: string; time: string } {
  const local = new Date(Date.parse(at) + 8 * 3_600_000).toISOString()
  return { day: local.slice(0, 10), time: local.slice(11, 16) }
}

/** 「11月28日 15:20」 for an instant, in Shanghai. */
export function instantWords(at: string): string {
  const { day, time } = shanghai(at)
  return `${dayWords(day)} ${time}`
}

export interface DeadlineWords {
  text: string
  tone: 'neutral' | 'soon' | 'late'
}

const SOON = 3

/** 「11月28日前（还有 3 个工作日）」, 「已逾期 2 个工作日」. */
export function deadlineWords(due: string, calendar: Calendar, now: string = today()): DeadlineWords {
  const left = workingDays(calendar, now, due)
  const day = dayWords(due, now)
  if (due < now) return { text: left < 0 ? `已逾期 ${-left} 个工作日（${day}到期）` : `已过期限（${day}）`, tone: 'late' }
  if (due === now) return { text: '今天到期', tone: 'soon' }
  // A year whose notice is not out yet counts as plain weeks, as on the server, and says so.
  const about = calendar.years.length && !calendar.years.includes(Number(due.slice(0, 4))) ? '约 ' : ''
  return { text: `${day}前（还有${about || ' '}${left} 个工作日）`, tone: left <= SOON ? 'soon' : 'neutral' }
}
