/** A visit's record while it is being filled in. */
import type { Schemas } from '@/api/contract'

type Finding = Schemas['Finding']
type Record_ = Schemas['RecordIn']

export interface Draft {
  /** By line of the checklist, counted from 0; lines without an entry were not looked at. */
  checks: Record<number, { finding: Finding; note: string }>
  verdict: Schemas['Verdict'] | null
  seen: string
  /** What people there said; may stay empty. */
  interview: string
  follow_up: string
  /** As typed; empty leaves it to the zone's rule. */
  rectify_days: string
  place: Schemas['Place'] | null
  /** ISO 8601. */
  visited_at: string
  correction_reason: string
}

export const draftName = (visitId: string) => `visit:${visitId}`
export const photosName = (visitId: string) => `visit_photos:${visitId}`

export function emptyDraft(now: Date = new Date()): Draft {
  return {
    ...{ checks: {}, verdict: null, seen: '', interview: '', follow_up: '', rectify_days: '', place: null, correction_reason: '' },
    visited_at: now.toISOString(),
  }
}

/** To mend what was refused, or to correct what stands: everything as it was said. */
export function draftFrom(said: Record_ | Schemas['RecordOut']): Draft {
  const checks = said.checks.map(({ line, finding, note }) => [line, { finding, note }] as const)
  return {
    checks: Object.fromEntries(checks),
    ...{ verdict: said.verdict, seen: said.seen, interview: said.interview },
    ...{ follow_up: said.follow_up, visited_at: said.visited_at },
    rectify_days: 'rectify_days' in said && said.rectify_days ? String(said.rectify_days) : '',
    place: said.place ?? null,
    correction_reason: said.correction_reason,
  }
}

export const asksMore = (verdict: Draft['verdict']) => verdict !== null && verdict !== 'effective'

export type Missing = Partial<Record<'verdict' | 'seen' | 'follow_up' | 'rectify_days' | 'correction_reason', string>>

/** What still has to be said, each in a sentence; `corrects`: the visit has a record already. */
export function missingIn(draft: Draft, corrects: boolean): Missing {
  const missing: Missing = {}
  if (!draft.verdict) missing.verdict = '请选一个结论。'
  if (!draft.seen.trim()) missing.seen = '请写看到的情况，一句话也可以。'
  if (draft.verdict === 'mostly_effective' && !draft.follow_up.trim()) missing.follow_up = '请写后续要做的事。'
  if (asksMore(draft.verdict) && !daysFit(draft.rectify_days)) missing.rectify_days = '请填 1 至 250 之间的整数，或不填。'
  if (corrects && !draft.correction_reason.trim()) missing.correction_reason = '请写为什么更正。'
  return missing
}

const daysFit = (typed: string) => typed === '' || (/^\d{1,3}$/.test(typed) && Number(typed) >= 1 && Number(typed) <= 250)

/** What is sent; only of a draft in which nothing is missing. */
export function recordOf(draft: Draft, corrects: boolean): Record_ {
  if (!draft.verdict) throw new Error('a record without a verdict')
  return {
    ...{ verdict: draft.verdict, seen: draft.seen.trim(), interview: (draft.interview ?? '').trim() },
    ...{ visited_at: draft.visited_at, place: draft.place, evidence: [] },
    checks: Object.entries(draft.checks).map(([line, check]) => ({ line: Number(line), ...check })),
    follow_up: draft.verdict === 'mostly_effective' ? draft.follow_up.trim() : '',
    rectify_days: asksMore(draft.verdict) && draft.rectify_days ? Number(draft.rectify_days) : null,
    correction_reason: corrects ? draft.correction_reason.trim() : '',
  }
}
