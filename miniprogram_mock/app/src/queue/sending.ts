import type { Client } from '@/api/client'
import { Problem, sentence, SignedOut } from '@/api/problems'
import { FileGone } from '@/platform/platform'

import type { Entry } from './entries'
import type { Outcome, Progressed } from './queue'

/** What the server makes of an entry. A refusal for good is told to the person; a busy server is asked again. */
export async function sendEntry(client: Client, entry: Entry, progressed?: Progressed): Promise<Outcome> {
  try {
    const { id: key, body, file } = entry
    return { kind: 'done', content: await client.send(entry.method, entry.path, { key, body, file, progressed }) }
  } catch (fault) {
    if (fault instanceof SignedOut) return { kind: 'later' }
    if (fault instanceof Problem && fault.mayPass) return { kind: 'later' }
    if (fault instanceof Problem) return { kind: 'refused', code: fault.code, detail: fault.message }
    if (fault instanceof FileGone) return { kind: 'refused', code: 'file_gone', detail: sentence(fault) }
    throw fault
  }
}
