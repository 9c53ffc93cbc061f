/** Kinds of reminders, as the inbox groups and offers them. */
import type { Schemas } from '@/api/contract'

export type Reminder = Schemas['ReminderOut']
type Kind = Reminder['kind']

export interface Group {
  title: string
  kinds: readonly Kind[]
}

/** The most pressing first. */
export const GROUPS: readonly Group[] = [
  { title: '已逾期', kinds: ['overdue'] },
  { title: '退回补正', kinds: ['returned'] },
  { title: '待签收', kinds: ['to_receive'] },
  { title: '快到期', kinds: ['due_soon'] },
  { title: '催办和提级', kinds: ['urge', 'escalated'] },
  { title: '待审核', kinds: ['review_waiting', 'extension_waiting'] },
  { title: '待检查', kinds: ['visit_assigned'] },
  { title: '待回复', kinds: ['measure_to_reply'] },
  { title: '待核查', kinds: ['alert_to_check'] },
  { title: '供知悉', kinds: ['informed'] },
]

/** What a kind is called on a card that stands in a group of several. */
export const NAMES: Partial<Record<Kind, string>> = {
  urge: '催办',
  escalated: '提级',
  review_waiting: '销号审核',
  extension_waiting: '延期审核',
}

/** Within a group: urgent, then by deadline (none: last), then newest. */
export function inOrder(reminders: readonly Reminder[]): Reminder[] {
  const rank = (one: Reminder) => `${one.urgent ? 0 : 1}${one.due_on ?? '9999-12-31'}`
  return [...reminders].sort((a, b) => rank(a).localeCompare(rank(b)) || b.id.localeCompare(a.id))
}

/** The groups that have something, each in order. */
export function grouped(reminders: readonly Reminder[]): { title: string; reminders: Reminder[] }[] {
  return GROUPS.map(({ title, kinds }) => ({
    title,
    reminders: inOrder(reminders.filter((one) => kinds.includes(one.kind))),
  })).filter((group) => group.reminders.length > 0)
}

/** The page that a reminder is about; null where the reminder says it all. */
export function pageOf(reminder: Reminder): string | null {
  if (reminder.subject_type === 'item') return `/pages/ledger/item?id=${reminder.subject_id}`
  if (reminder.kind === 'visit_assigned') return '/pages/lookbacks/visits'
  return null
}
