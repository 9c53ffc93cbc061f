/** A phone for the queue's tests: the browser half's store and requests, the WeChat half's turns, a real server. */
import 'fake-indexeddb/auto'

import { randomUUID } from 'node:crypto'

import { Client } from '@/api/client'
import { Session } from '@/api/session'
import { entriesOf } from '@/platform/h5/entries'
import { contentOf, filesOf, keep } from '@/platform/h5/files'
import { request } from '@/platform/h5/requesting'
import type { Asked, KeptFile, Platform } from '@/platform/platform'
import { inTurn } from '@/platform/turns'
import { type Draft, Queue, type Surroundings } from '@/queue/queue'
import { sendEntry } from '@/queue/sending'

export interface TestPhone {
  /** A page of the app, as after a start or a reload, or a second tab. */
  page(options?: Partial<Surroundings>): Queue
  platform: Platform
  /** A file as a chooser keeps it. */
  chosen(name: string): Promise<KeptFile>
  session: Session
  client: Client
  signIn(person: string): void
}

export function phone(origin: () => string): TestPhone {
  const number = randomUUID()
  const notes = new Map<string, string>()
  const platform = {
    get apiOrigin() {
      return origin()
    },
    request,
    upload: async (asked: Asked, file: KeptFile) => request(asked, await contentOf(number, file)),
    entries: entriesOf(() => number),
    files: filesOf(() => number),
    notes: {
      get: (name: string) => notes.get(name) ?? null,
      set: (name: string, value: string) => void notes.set(name, value),
      remove: (name: string) => void notes.delete(name),
    },
    alone: (name: string, task: () => Promise<unknown>) => inTurn(`${number}-${name}`, task),
    newId: randomUUID,
    login: async () => 'code',
  } as unknown as Platform
  const session = new Session(platform)
  const client = new Client(platform, session)
  const page = (options: Partial<Surroundings> = {}) =>
    new Queue({
      store: platform.entries,
      send: (entry) => sendEntry(client, entry),
      owner: () => session.me?.id ?? null,
      alone: platform.alone,
      newId: platform.newId,
      dropFile: platform.files.drop,
      firstPauseMs: 20,
      ...options,
    })
  const signIn = (person: string) => {
    notes.set('session', JSON.stringify({ access: 'a', refresh: 'r', me: { id: person }, zone: {} }))
  }
  const chosen = (name: string) => keep(number, new File([new Uint8Array([255, 216, 0, 7])], name))
  return { page, platform, chosen, session, client, signIn }
}

/** A draft about a matter. */
export function draft(about: string, path: string, body: unknown = {}): Draft {
  return { kind: 'report', title: path, about, method: 'POST', path, body }
}
