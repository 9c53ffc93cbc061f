/** Handing a visit over to the queue. */
import { platform } from '#platform'

import type { Schemas } from '@/api/contract'
import { doLater, queue } from '@/phone'
import type { KeptFile } from '@/platform/platform'
import type { Entry } from '@/queue/entries'

type Visit = Pick<Schemas['VisitOut'], 'id' | 'title' | 'nonce'>

export const RECORD = 'visit'
export const COSIGN = 'cosign'
const PHOTO = 'visit_photo'

const about = (visitId: string) => `visit:${visitId}`

export const isRecordOf = (entry: Entry, visitId: string) => entry.kind === RECORD && entry.about === about(visitId)
export const isCosigningOf = (entry: Entry, visitId: string) => entry.kind === COSIGN && entry.about === about(visitId)
export const isPhotoOf = (entry: Entry, visitId: string) =>
  entry.kind === PHOTO && entry.about.startsWith(`${about(visitId)}:`)
export const concerns = (entry: Entry, visitId: string) => entry.about.startsWith(about(visitId))

export function openVisit(visitId: string): void {
  void uni.navigateTo({ url: `/pages/lookbacks/visit?id=${visitId}` })
}

/** With the nonce that the server gave this phone with the visit, perhaps days ago. Rejects with StorageFull. */
export function record(visit: Visit, body: Schemas['RecordIn']): Promise<Entry> {
  const facts = { kind: RECORD, title: `检查记录：${visit.title}`, about: about(visit.id) }
  const path = { visit_id: visit.id }
  return doLater('/api/mini/lookbacks/visits/{visit_id}/records', { ...facts, path, body: { ...body, nonce: visit.nonce } })
}

/** A matter of its own: a photo that is refused holds back neither the record nor another photo. Rejects with StorageFull. */
export function sendPhoto(visit: Visit, photo: KeptFile): Promise<Entry> {
  const facts = { kind: PHOTO, title: `照片：${visit.title}`, about: `${about(visit.id)}:${photo.reference}`, file: photo }
  const query = { kind: 'photo', visit_id: visit.id, nonce: visit.nonce } as const
  return doLater('/api/mini/evidence/upload', { ...facts, query })
}

/** Those of `photos` that lie here and that the queue has not taken: a restart may come between keeping and forgetting. */
export async function unsent(photos: readonly KeptFile[]): Promise<KeptFile[]> {
  const taken = new Set((await queue.mine()).map((entry) => entry.file?.reference))
  const shown = await Promise.all(photos.map((photo) => platform.files.show(photo).catch(() => null)))
  return photos.filter((photo, at) => shown[at] !== null && !taken.has(photo.reference))
}

/** Sign the record that is shown, and no later one. Rejects with StorageFull. */
export function cosign(visit: Visit, recordId: string): Promise<Entry> {
  const facts = { kind: COSIGN, title: `会签：${visit.title}`, about: about(visit.id) }
  const path = { visit_id: visit.id }
  return doLater('/api/mini/lookbacks/visits/{visit_id}/cosignature', { ...facts, path, body: { record_id: recordId } })
}
