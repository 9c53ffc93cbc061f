import type { Schemas } from '@/api/contract'

type Handbook = Schemas['HandbookOut']
type Duty = Schemas['DutyOut']

/** The duties and items that hold every word searched for; all of them where nothing is. */
export function foundIn(book: Handbook, searched: string): Pick<Handbook, 'duties' | 'items'> {
  const words = searched.toLowerCase().split(/\s+/).filter(Boolean)
  const holds = (...texts: (string | null)[]) => words.every((word) => texts.some((text) => text?.toLowerCase().includes(word)))
  return {
    duties: book.duties.filter((duty) => holds(duty.unit, duty.title)),
    items: book.items.filter((item) => holds(item.title, item.number, item.unit, item.state_label)),
  }
}

/** What is open under a post; a member answers for their own items only, which are listed below. */
export function dutyWords(duty: Duty): string {
  if (duty.rank === 'member') return ''
  const overdue = duty.overdue_items ? `，其中 ${duty.overdue_items} 件已过期限` : ''
  return `本单位及下级没有办结的事项 ${duty.open_items} 件${overdue}。`
}
