import { describe, expect, test } from 'vitest'

import { asked, entered, faults, FORMS } from '@/pages/ledger/forms'
import { nextOf } from '@/pages/ledger/next'
import type { Sight } from '@/pages/ledger/reading'
import type { Entry } from '@/queue/entries'

const actions = (...names: string[]) => names.map((action) => ({ action, label: '', needs: {} }))
const RECEIVED = actions('report', 'request_close_out', 'ask_extension')
const RETURNED = { event: 'item.unit_returned', at: '2026-11-20T02:00:00Z', text: '票据不全', missing: '付款凭证' }

/** An item as its owner reads it. */
function sight(state: string, next_actions: unknown[], more: { pieces?: unknown[]; moments?: unknown[] } = {}): Sight {
  const item = { id: 'a', state, cycle: 1, next_actions }
  return { item, responsible: {}, moments: [], pieces: [], may_submit: true, ...more } as unknown as Sight
}
const piece = (received_at: string, review = 'pending', cycle = 1) => ({ received_at, review, cycle, visit_id: null })
const waits = (kind: string, state = 'waiting') => ({ kind, state, about: 'item:a' }) as Entry

describe('the one main action', () => {
  test('is to receive what was issued, then to report, then to show evidence, then the close-out', () => {
    const main = (...given: Parameters<typeof sight>) => nextOf(sight(...given), []).main
    expect(main('issued', actions('receive'))).toBe('receive')
    expect(main('received', RECEIVED)).toBe('report')
    expect(main('in_progress', RECEIVED)).toBe('add_evidence')
    expect(main('in_progress', RECEIVED, { pieces: [piece('2026-11-19T02:00:00Z')] })).toBe('close_out')
  })

  test('after a return is to show what is missing: what was there before has been judged', () => {
    const before = piece('2026-11-19T02:00:00Z')
    const since = piece('2026-11-21T02:00:00Z')
    const returned = (...pieces: unknown[]) => nextOf(sight('in_progress', RECEIVED, { pieces, moments: [RETURNED] }), []).main
    expect(returned(before)).toBe('add_evidence')
    expect(returned(since, before)).toBe('close_out')
  })

  test('is no close-out on what was rejected, or shown in an earlier cycle', () => {
    for (const worthless of [piece('2026-11-19T02:00:00Z', 'rejected'), piece('2026-11-19T02:00:00Z', 'accepted', 0)]) {
      expect(nextOf(sight('in_progress', RECEIVED, { pieces: [worthless] }), []).main).toBe('add_evidence')
    }
  })

  test('is one review for both of its outcomes, and none for a reader who only watches', () => {
    expect(nextOf(sight('unit_review', actions('unit_approve', 'unit_return')), [])).toEqual({
      main: 'unit_review',
      others: ['add_evidence'],
    })
    expect(nextOf({ ...sight('unit_review', []), may_submit: false }, [])).toEqual({ main: null, others: [] })
  })
})

describe('what still waits on the phone', () => {
  const issued = sight('issued', actions('receive'))

  test('counts as done, so that work goes on without a network', () => {
    expect(nextOf(issued, [waits('receive')]).main).toBe('report')
    expect(nextOf(issued, [waits('receive'), waits('report')]).main).toBe('add_evidence')
    expect(nextOf(issued, [waits('receive'), waits('report'), waits('evidence')]).main).toBe('close_out')
    expect(nextOf(issued, [waits('receive'), waits('evidence'), waits('close_out')])).toEqual({
      main: null,
      others: ['add_evidence'],
    })
  })

  test('does not count once it was refused', () => {
    expect(nextOf(issued, [waits('receive', 'refused')]).main).toBe('receive')
    expect(nextOf(sight('in_progress', RECEIVED), [waits('evidence', 'refused')]).main).toBe('add_evidence')
  })
})

describe('forms', () => {
  test('ask for a reason and what is missing where something is returned, and for neither where it passes', () => {
    const form = FORMS.unit_review
    expect(faults(form, {})).toEqual({ passed: '请选择审核结果。' })
    expect(faults(form, { passed: 'no' })).toEqual({ reason: '请填写退回的理由。', missing: '请填写还缺什么。' })
    expect(faults(form, { passed: 'yes' })).toEqual({})
    expect(asked(form, { passed: 'yes' }).map((field) => field.name)).toEqual(['passed', 'reason'])
  })

  test('open again with what was entered, and write the same', () => {
    for (const body of [
      { passed: false, reason: '票据不全', missing: '付款凭证' },
      { passed: true, reason: null, missing: null },
    ]) {
      expect(FORMS.oversight_review.body(entered(body))).toEqual(body)
    }
    const extension = { reason: '汛期停工', new_due_on: '2026-12-31' }
    expect(FORMS.extension.body(entered(extension))).toEqual(extension)
  })
})
