/** Where a refused entry is mended: the form that made it, opened with what was entered. */
import type { Entry } from '@/queue/entries'

const STEP = '/pages/ledger/step'
const FORMS: Record<string, string> = {
  report: STEP,
  close_out: STEP,
  unit_review: STEP,
  oversight_review: STEP,
  extension: STEP,
  decide_extension: STEP,
  evidence: '/pages/evidence/add',
  evidence_review: '/pages/evidence/piece',
}

/** The page; null for what has no form, as a tap or a file. A visit's record is mended where the visit is. */
export function mendingPage(entry: Entry): string | null {
  if (entry.kind === 'visit') return `/pages/lookbacks/visit?id=${entry.about.slice('visit:'.length)}`
  const form = entry.file ? undefined : FORMS[entry.kind]
  return form ? `${form}?entry=${entry.seq}` : null
}
