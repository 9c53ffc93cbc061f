/**
 * A file in parts (tus 1.0): what has arrived stays at the server, and after a broken connection only the rest follows.
 *
 * The phone keeps nothing of how far it was: beginning again under the same key is answered with the first beginning.
 */
import { Unreachable, type Answered, type Asked, type KeptFile } from '@/platform/platform'

import type { Schemas } from './contract'
import { problemOf } from './problems'

type State = Schemas['UploadOut']

const UPLOADS = '/api/mini/evidence/uploads'
const WHOLE = '/api/mini/evidence/upload?'
const PART_BYTES = 2 ** 20
/** Up to here one request is as good: what is lost with it is little. */
const SMALL_BYTES = 256 * 1024
const VERSION = { 'tus-resumable': '1.0.0' }

/** How a request is sent: by itself, or with bytes of the file from `from` up to `to`, `progressed` hearing what part left. */
export interface Sending {
  plain(asked: Asked): Promise<Answered>
  part(asked: Asked, from: number, to: number, progressed: (part: number) => void): Promise<Answered>
}

export const inParts = (path: string, file: KeptFile) => path.startsWith(WHOLE) && file.size > SMALL_BYTES

/** What the upload of the whole file at `path` would submit. Rejects with Problem, Unreachable, FileGone. */
export async function sendInParts(
  { plain, part }: Sending,
  { origin, path, key, file, progressed }: { origin: string; path: string; key: string; file: KeptFile; progressed(part: number): void },
): Promise<State> {
  const at = (id: string) => `${origin}${UPLOADS}/${id}`
  let state = await begun(plain, { origin, path, key, file })
  while (!state.evidence_id) {
    const { id, offset, length } = state
    const to = Math.min(offset + PART_BYTES, length)
    const headers = { ...VERSION, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) }
    const answer = await part({ method: 'PATCH', url: at(id), headers }, offset, to, (sent) =>
      progressed((offset + sent * (to - offset)) / length),
    )
    if ([404, 410].includes(answer.status)) throw new Unreachable() // the next try begins anew
    if (answer.status >= 400 && answer.status !== 409) throw problemOf(answer.status, answer.content)
    const next = read(await plain({ method: 'GET', url: at(id), headers: {} }))
    if (answer.status === 409 && next.offset === offset) throw problemOf(answer.status, answer.content)
    state = next
  }
  return state
}

async function begun(
  plain: Sending['plain'],
  { origin, path, key, file }: { origin: string; path: string; key: string; file: KeptFile },
): Promise<State> {
  const facts = path.slice(WHOLE.length).split('&').map((pair) => pair.split('=').map(decodeURIComponent))
  const said = [...facts, ['client_id', key]].map(([name, value]) => `${name} ${base64(value ?? '')}`)
  const headers = { ...VERSION, 'upload-length': String(file.size), 'upload-metadata': said.join() }
  return read(await plain({ method: 'POST', url: origin + UPLOADS, headers }))
}

function read({ status, content }: Answered): State {
  if (status >= 400) throw problemOf(status, content)
  return content as State
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Of plain letters (ids, days, instants): WeChat has no `btoa`. */
function base64(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; at += 3) {
    const [one = 0, two = 0, three = 0] = [0, 1, 2].map((next) => text.charCodeAt(at + next) || 0)
    const bits = (one << 16) | (two << 8) | three
    const digits = [18, 12, 6, 0].map((shift) => LETTERS[(bits >> shift) & 63]).join('')
    out += digits.slice(0, Math.min(4, text.length - at + 1)).padEnd(4, '=')
  }
  return out
}
