/** What the reader can do with an item now: what the server allows, and what follows from what still waits here. */
import type { Entry } from '@/queue/entries'
import type { Schemas } from '@/api/contract'

import { FORMS, type FormName } from './forms'
import { lastReturn, type Sight } from './reading'

export type Step = FormName | 'receive' | 'add_evidence'

/** Steps of the table that the phone has a form for; two outcomes of one review are one form. */
const STEP_OF: Partial<Record<Schemas['NextAction']['action'], Step>> = {
  receive: 'receive',
  report: 'report',
  request_close_out: 'close_out',
  unit_approve: 'unit_review',
  unit_return: 'unit_review',
  close_out: 'oversight_review',
  oversight_return: 'oversight_review',
  ask_extension: 'extension',
  unit_extension: 'decide_extension',
  oversight_extension: 'decide_extension',
}
/** The one to press first comes first. */
const PRESSING: readonly Step[] = ['receive', 'unit_review', 'oversight_review', 'decide_extension']

export const LABELS: Record<Step, string> = {
  receive: '签收',
  add_evidence: '添加佐证材料',
  ...(Object.fromEntries(Object.entries(FORMS).map(([name, { title }]) => [name, title])) as Record<FormName, string>),
}

export interface Next {
  /** The page's one main action; null where nothing is asked of the reader. */
  main: Step | null
  others: Step[]
}

/** `waiting`: this item's entries on this phone, in order. */
export function nextOf(sight: Sight, waiting: readonly Entry[]): Next {
  const open = waiting.filter((entry) => entry.state !== 'refused').reduce(after, allowed(sight.item))
  const steps: Step[] = sight.may_submit ? [...open, 'add_evidence'] : [...open]
  const main = mainOf(steps, sight, waiting)
  return { main, others: steps.filter((step) => step !== main) }
}

function allowed(item: Sight['item']): Set<Step> {
  const steps = item.next_actions.map(({ action }) => STEP_OF[action])
  return new Set(steps.filter((step): step is Step => step !== undefined))
}

/** Without a network the person goes on as if the entry had arrived; the server has the last word. */
function after(open: Set<Step>, { kind }: Entry): Set<Step> {
  if (kind === 'receive') return new Set<Step>(['report', 'close_out', 'extension'])
  if (['close_out', 'unit_review', 'oversight_review'].includes(kind)) return new Set()
  return new Set([...open].filter((step) => step === 'report' || step !== kind))
}

function mainOf(steps: Step[], sight: Sight, waiting: readonly Entry[]): Step | null {
  const pressing = PRESSING.find((step) => steps.includes(step))
  if (pressing || !steps.includes('close_out')) return pressing ?? null
  if (isProved(sight, waiting)) return 'close_out'
  const begun = sight.item.state !== 'received' && sight.item.state !== 'issued'
  if (!begun && steps.includes('report') && !waiting.some(({ kind }) => kind === 'report')) return 'report'
  return steps.includes('add_evidence') ? 'add_evidence' : 'close_out'
}

/** Whether evidence stands in this cycle, after a return some that came since. */
function isProved(sight: Sight, waiting: readonly Entry[]): boolean {
  const returned = lastReturn(sight)?.at ?? ''
  const stands = ({ cycle, review, received_at, visit_id }: Sight['pieces'][number]) =>
    cycle === sight.item.cycle && review !== 'rejected' && !visit_id && received_at > returned
  return waiting.some(({ kind, state }) => kind === 'evidence' && state !== 'refused') || sight.pieces.some(stands)
}

const RESTING: Partial<Record<Sight['item']['state'], string>> = {
  unit_review: '已申请销号，等待单位负责人初审。现在不用做别的。',
  oversight_review: '等待监督机构复核。现在不用做别的。',
  closed: '已经销号，不用再做什么。',
  cancelled: '已经撤销，不用再做什么。',
  suspended: '已经挂账，期限暂停计算。恢复办理时会提醒您。',
  long_term: '持续整改中。到评估日期时会提醒。',
}
const ASKED: Record<Step, string> = {
  receive: '请先签收。签收后按期限办理，暂时不用做别的。',
  report: '已签收。有进展时反馈一次即可，不用每天填报。',
  add_evidence: '办结后请添加佐证材料。文字说明或纸质材料编号就可以，照片不是必需的。',
  close_out: '佐证材料已提交。办结后可以申请销号。',
  unit_review: '责任人已申请销号。请看过佐证材料后初审。',
  oversight_review: '初审已通过。请看过佐证材料后复核。',
  extension: '',
  decide_extension: '有一份延期申请等您决定。',
}

/** What is wanted of the reader, in a sentence. */
export function askedWords({ main }: Next, item: Sight['item']): string {
  if (main) return ASKED[main]
  return RESTING[item.state] ?? '现在不需要您操作。'
}
