/** An item with all that its page shows, and the lists of items. */
import type { Schemas } from '@/api/contract'
import type { Moment } from '@/components/Timeline.vue'
import { client } from '@/phone'
import type { Piece } from '@/pages/evidence/pieces'

import type { Item } from './forms'

export type ItemLine = Schemas['ItemLine']

const MOST_PIECES = 300
const A_STORY = 50

export interface Sight {
  item: Item
  responsible: Schemas['ResponsibleOut']
  /** Newest first. */
  moments: Schemas['MomentOut'][]
  /** Newest first. */
  pieces: Piece[]
  /** Whether the item takes evidence from the reader now. */
  may_submit: boolean
}

export async function readItem(id: string): Promise<Sight> {
  const path = { item_id: id }
  const [item, responsible, told, shown] = await Promise.all([
    client.get('/api/mini/items/{item_id}', { path }),
    client.get('/api/mini/items/{item_id}/responsible', { path }),
    client.get('/api/mini/items/{item_id}/timeline', { path, query: { limit: A_STORY } }),
    readPieces(id),
  ])
  return { item, responsible, moments: told.items, ...shown }
}

async function readPieces(item_id: string): Promise<Pick<Sight, 'pieces' | 'may_submit'>> {
  const pieces: Piece[] = []
  let after: string | null = null
  let may_submit = false
  do {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(item_id, after)
    pieces.push(...page.items)
    after = page.next ?? null
    may_submit = page.may_submit
  } while (after && pieces.length < MOST_PIECES)
  return { pieces: pieces.reverse(), may_submit }
}

const readPage = (item_id: string, after: string | null) =>
  client.get('/api/mini/evidence', { query: { item_id, after, limit: 100 } })

/** As the timeline shows it. */
export function shownMoment(moment: Schemas['MomentOut']): Moment {
  const actor = moment.acting_for ? `${moment.actor}（代${moment.acting_for}）` : moment.actor
  return { at: moment.at, label: moment.label, actor, text: [moment.text, missingWords(moment)].filter(Boolean).join('\n') }
}

const missingWords = ({ missing }: Schemas['MomentOut']) => (missing ? `还缺：${missing}` : '')

const RETURNS = ['item.unit_returned', 'item.oversight_returned']

/** The return that the owner works on; null where none was, or the close-out was asked for again since. */
export function lastReturn({ moments }: Sight): Schemas['MomentOut'] | null {
  const last = moments.find(({ event }) => RETURNS.includes(event) || event === 'item.close_out_requested')
  return last && RETURNS.includes(last.event) ? last : null
}
