/** The steps that say something: what each asks, and what it writes. Receiving needs no form. */
import type { Body, Schemas } from '@/api/contract'
import { dayWords } from '@/showing/days'

export type Item = Schemas['ItemOut']
/** What was entered, by field; a choice is `yes` or `no`. */
export type Values = Record<string, string>

export interface Field {
  /** The body's member. */
  name: string
  label: string
  kind: 'words' | 'day' | 'choice'
  note?: string
  optional?: boolean
  /** Characters at most. */
  most?: number
  /** What `yes` and `no` are called. */
  choices?: [string, string]
  /** Asked only where this holds. */
  when?: (values: Values) => boolean
}

type Written = `/api/mini/items/{item_id}/${'reports' | 'close-out' | 'unit-review' | 'oversight-review' | 'extension' | 'extension/decision'}`

export interface Form<P extends Written = Written> {
  title: string
  /** On the button. */
  send: string
  /** What the person should know before. */
  intro: (item: Item) => string
  fields: readonly Field[]
  path: P
  body: (values: Values) => Body<P, 'post'>
}

const form = <P extends Written>(made: Form<P>): Form<P> => made
const said = (words: string | undefined) => words?.trim() || null
const chosen = (value: string) => (values: Values) => values.passed === value || values.granted === value

const REVIEW: readonly Field[] = [
  { name: 'passed', label: '审核结果', kind: 'choice', choices: ['通过', '退回'] },
  { name: 'reason', label: '审核意见', kind: 'words', optional: true, when: chosen('yes') },
  { name: 'reason', label: '退回的理由', kind: 'words', when: chosen('no') },
  { name: 'missing', label: '还缺什么', kind: 'words', note: '责任人会看到，并照此补正。', when: chosen('no') },
]
const reviewed = ({ passed, reason, missing }: Values): Body<'/api/mini/items/{item_id}/unit-review', 'post'> => ({
  passed: passed === 'yes',
  reason: said(reason),
  missing: passed === 'yes' ? null : said(missing),
})

export const FORMS = {
  report: form({
    title: '反馈进展',
    send: '提交进展',
    intro: () => '写清做了什么、下一步做什么就可以。有进展时再写，不用每天填。',
    fields: [{ name: 'text', label: '进展情况', kind: 'words', most: 2000 }],
    path: '/api/mini/items/{item_id}/reports',
    body: ({ text }) => ({ text: text ?? '' }),
  }),
  close_out: form({
    title: '申请销号',
    send: '申请销号',
    intro: (item) =>
      item.immediate_fix ? '立行立改事项由监督机构复核后销号。' : '由单位负责人初审、监督机构复核后销号。审核期间不用做别的。',
    fields: [{ name: 'note', label: '说明', kind: 'words', optional: true }],
    path: '/api/mini/items/{item_id}/close-out',
    body: ({ note }) => ({ note: said(note) }),
  }),
  unit_review: form({
    title: '初审',
    send: '提交初审结果',
    intro: () => '通过后由监督机构复核；退回后由责任人补正，再次申请。',
    fields: REVIEW,
    path: '/api/mini/items/{item_id}/unit-review',
    body: reviewed,
  }),
  oversight_review: form({
    title: '复核',
    send: '提交复核结果',
    intro: () => '通过后即销号；退回后由责任人补正，再次申请。',
    fields: REVIEW,
    path: '/api/mini/items/{item_id}/oversight-review',
    body: reviewed,
  }),
  extension: form({
    title: '申请延期',
    send: '提交延期申请',
    intro: (item) => `现在的期限是${item.due_on ? dayWords(item.due_on) : '未定'}。由单位负责人、监督机构先后同意后生效，同意前期限不变。`,
    fields: [
      { name: 'new_due_on', label: '新的期限', kind: 'day' },
      { name: 'reason', label: '延期的理由', kind: 'words' },
    ],
    path: '/api/mini/items/{item_id}/extension',
    body: ({ reason, new_due_on }) => ({ reason: reason ?? '', new_due_on: new_due_on ?? '' }),
  }),
  decide_extension: form({
    title: '审核延期',
    send: '提交决定',
    intro: ({ extension: asked }) =>
      asked ? `申请从${dayWords(asked.old_due_on)}延到${dayWords(asked.new_due_on)}。理由：${asked.reason}` : '',
    fields: [
      { name: 'granted', label: '决定', kind: 'choice', choices: ['同意', '不同意'] },
      { name: 'reason', label: '说明', kind: 'words', optional: true, when: chosen('yes') },
      { name: 'reason', label: '不同意的理由', kind: 'words', when: chosen('no') },
    ],
    path: '/api/mini/items/{item_id}/extension/decision',
    body: ({ granted, reason }) => ({ granted: granted === 'yes', reason: said(reason) }),
  }),
} as const

export type FormName = keyof typeof FORMS

/** Those that are asked, given what was entered so far. */
export const asked = (of: Form, values: Values) => of.fields.filter((field) => field.when?.(values) ?? true)

/** What is wrong with what was entered, by field; nothing where it may be sent. */
export function faults(of: Form, values: Values): Values {
  const empty = asked(of, values).filter((field) => !field.optional && !values[field.name]?.trim())
  const words = (field: Field) => (field.kind === 'words' ? `请填写${field.label}。` : `请选择${field.label}。`)
  return Object.fromEntries(empty.map((field) => [field.name, words(field)]))
}

/** A body as it was entered, for mending. */
export function entered(body: unknown): Values {
  const shown = (value: unknown) => (typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value ?? ''))
  return Object.fromEntries(Object.entries(body ?? {}).map(([name, value]) => [name, shown(value)]))
}
