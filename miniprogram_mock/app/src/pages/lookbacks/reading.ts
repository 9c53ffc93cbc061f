/** My visits, as they are read, and as they are taken along to where there is no network. */
import type { Schemas } from '@/api/contract'
import { client, queue, session } from '@/phone'
import { StorageFull } from '@/platform/platform'
import { today } from '@/showing/days'
import { useLoaded } from '@/showing/loaded'
import { recall, remember } from '@/showing/remembered'

export type VisitLine = Schemas['VisitLine']
export type Visit = Schemas['VisitOut']

import { COSIGN, RECORD } from './recording'

const MOST = 100

export interface Visits {
  open: VisitLine[]
  recorded: VisitLine[]
}

const inspects = () => session.me?.roles.some((one) => one.role === 'inspector') ?? false
const page = async (recorded: boolean) =>
  (await client.get('/api/mini/lookbacks/visits', { query: { recorded, limit: MOST } })).items

async function readVisits(): Promise<Visits> {
  if (!inspects()) return { open: [], recorded: [] }
  const [open, recorded] = await Promise.all([page(false), page(true)])
  return { open: open.sort((a, b) => a.due_on.localeCompare(b.due_on)), recorded }
}

const listName = () => `visits:${session.me?.id}`
const nameOf = (id: string) => `visit:${id}`

export const useVisits = () => useLoaded<Visits>(listName, readVisits)

async function readItinerary(): Promise<Schemas['ItineraryOut']> {
  if (!inspects()) return { on: today(), stops: [] }
  return client.get('/api/mini/lookbacks/visits/itinerary', {})
}

/** Today, unit by unit; it says which day it is of, for without a network an earlier one may be shown. */
export const useItinerary = () => useLoaded(() => `itinerary:${session.me?.id}`, readItinerary)

const read = (id: string) => client.get('/api/mini/lookbacks/visits/{visit_id}', { path: { visit_id: id } })

export const useVisit = (id: () => string) => useLoaded<Visit>(() => nameOf(id()), () => read(id()))
export const seenLast = (id: string) => recall<Visit>(nameOf(id))?.content ?? null

const TAKEN = 'visits_taken'

/** When the visits were last taken along (ISO 8601), and which. */
export const takenAlong = () => recall<string[]>(TAKEN)

/** Read each visit whole, so that it opens without a network. Rejects with Problem, Unreachable, StorageFull. */
export async function takeAlong(ids: string[]): Promise<void> {
  for (const id of ids) {
    remember(nameOf(id), await read(id))
    if (!recall(nameOf(id))) throw new StorageFull()
  }
  remember(TAKEN, ids)
}

/**
 * What the queue sent, from whichever page, stands in what is remembered: the visit may be opened next where there is no
 * network, and would ask for the same again.
 */
export function keepInStep(): void {
  queue.onDone((entry, content) => {
    if (content === undefined) return // another tab sent it, and wrote it down
    const seen = seenLast(entry.about.slice('visit:'.length))
    if (seen && entry.kind === COSIGN) remember(nameOf(seen.id), content as Visit)
    if (seen && entry.kind === RECORD) standsRecorded(seen, content as Schemas['RecordOut'])
  })
}

function standsRecorded(seen: Visit, made: Schemas['RecordOut']): void {
  const recorded_at = seen.recorded_at ?? made.received_at
  remember(nameOf(seen.id), { ...seen, recorded_at, records: [...seen.records, made] })
  const list = recall<Visits>(listName())?.content
  const line = list?.open.find((one) => one.id === seen.id)
  if (!list || !line) return
  const open = list.open.filter((one) => one !== line)
  remember(listName(), { open, recorded: [{ ...line, recorded_at }, ...list.recorded] })
}

/** Which of `visits` a site code stands for: its scene is one of the visit's site codes, or the item's or the visit's id. */
export function visitAt(code: string, visits: Visits): VisitLine | undefined {
  const scene = /(?:^|=|%3D)([0-9a-f]{32})$/i.exec(code.trim())?.[1]?.toLowerCase()
  const bare = (id: string) => id.replaceAll('-', '')
  const stands = (visit: VisitLine) =>
    scene !== undefined && [...(visit.site_codes ?? []), bare(visit.id), bare(visit.item_id)].includes(scene)
  return visits.open.find(stands) ?? visits.recorded.find(stands)
}
