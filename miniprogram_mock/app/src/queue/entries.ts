/** What waits on this phone to be sent. */
import type { KeptFile } from '@/platform/platform'

export type EntryState = 'waiting' | 'sending' | 'refused'

/** A write as the person made it. */
export interface Entry {
  /** Where it stands in the order of this phone. */
  seq: number
  /** UUID; also the Idempotency-Key, so that sending it again is safe. */
  id: string
  /** Whose: another person who signs in on this phone neither sees nor sends it. */
  owner: string
  /** What it is, for programs: `acknowledge`, `receive`, `report`, `evidence`, `visit`… */
  kind: string
  /** What it is, for the person: 「签收：河道清淤」. */
  title: string
  /** The matter (`item:<id>`, `visit:<id>`…): what is about the same one is sent in order, or not at all. */
  about: string
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  body?: unknown
  file?: KeptFile
  /** ISO 8601. */
  made_at: string
  state: EntryState
  /** Why the server refused it; with `state` refused. */
  problem?: { code: string; detail: string }
}

export type Fresh = Omit<Entry, 'seq'>

/** Where entries outlive a restart. */
export interface EntryStore {
  /** All, in order. */
  all(): Promise<Entry[]>
  /** Gives the entry its place in the order. Rejects with StorageFull: nothing was changed. */
  add(fresh: Fresh): Promise<Entry>
  put(entry: Entry): Promise<void>
  remove(seq: number): Promise<void>
}
