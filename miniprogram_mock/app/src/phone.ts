/** Composition: the one session, client and queue of this phone. */
import { platform } from '#platform'

import { Client } from './api/client'
import type { Body, Parts, PathOf } from './api/contract'
import { address } from './api/contract'
import { Session } from './api/session'
import type { KeptFile } from './platform/platform'
import type { Entry } from './queue/entries'
import { Queue } from './queue/queue'
import { sendEntry } from './queue/sending'

export const session = new Session(platform)
export const client = new Client(platform, session)
export const queue = new Queue({
  store: platform.entries,
  send: (entry, progressed) => sendEntry(client, entry, progressed),
  owner: () => session.me?.id ?? null,
  alone: platform.alone,
  newId: platform.newId,
  dropFile: platform.files.drop,
})

type About = Pick<Entry, 'kind' | 'title' | 'about'> & { file?: KeptFile }

/** Queue a write of the API, its path and body checked against the contract. Rejects with StorageFull. */
export function doLater<P extends PathOf<'post'>>(
  path: P,
  { path: named, query, body, ...about }: Parts<P, 'post'> & { body?: Body<P, 'post'> } & About,
): Promise<Entry> {
  return queue.add({ ...about, method: 'POST', path: address(path, { path: named, query }), body })
}

/** At every start: send what waits, now and whenever the network returns or somebody signs in. */
export function start(): void {
  platform.watchNetwork((online) => online && queue.networkReturned())
  session.watch(() => void queue.flush())
  void queue.flush()
}
