/** Pieces of evidence, as pages show them. */
import type { Schemas } from '@/api/contract'

export type Piece = Schemas['EvidenceOut']
export type Use = Piece['also_used'][number]

export const KINDS: Record<Piece['kind'], string> = {
  photo: '照片',
  document: '文件',
  text: '文字说明',
  paper_reference: '纸质材料编号',
}

export const TONES: Record<Piece['review'], 'neutral' | 'soon' | 'done'> = {
  pending: 'neutral',
  accepted: 'done',
  rejected: 'soon',
  more_wanted: 'soon',
}

/** What it says, or what sort of file it is. */
export function titleOf(piece: Piece): string {
  if (piece.kind === 'document') return `${extensionOf(piece).toUpperCase()} 文件`
  return piece.text || piece.paper_reference || KINDS[piece.kind]
}

const EXTENSIONS: Record<string, string> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
}

export const extensionOf = ({ media_type }: Piece) => EXTENSIONS[media_type ?? ''] ?? 'jpg'

/** How many things a reviewer may want to look at; nobody else is told of any. */
export const hintsOf = ({ also_used, signals }: Piece) => also_used.length + signals.length

/** Uses of the like elsewhere, under what each kind of likeness asks. */
export function questionsOf({ also_used }: Piece): { question: string; uses: Use[] }[] {
  const questions = [...new Set(also_used.map(({ question }) => question))]
  return questions.map((question) => ({ question, uses: also_used.filter((use) => use.question === question) }))
}

/** 「320 KB」, 「4.2 MB」. */
export function sizeWords(bytes: number): string {
  return bytes < 2 ** 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 2 ** 20).toFixed(1)} MB`
}
