/** Asking the API as the person who is signed in. */
import type { Answered, Asked, KeptFile, Platform } from '@/platform/platform'

import { address, type Body, type Parts, type PathOf, type Reply } from './contract'
import { inParts, sendInParts, type Sending } from './parts'
import { problemOf, SignedOut } from './problems'
import type { Session } from './session'

type Method = Asked['method']
type Ask = (proven: Asked) => Promise<Answered>

/** What goes with a write; `progressed` hears what part of its file has left. */
export interface Sent {
  body?: unknown
  key?: string
  file?: KeptFile
  progressed?: (part: number) => void
}

export class Client {
  constructor(
    private readonly platform: Platform,
    private readonly session: Session,
  ) {}

  /** Rejects with Problem, Unreachable, SignedOut. */
  async get<P extends PathOf<'get'>>(path: P, parts: Parts<P, 'get'>): Promise<Reply<P, 'get'>> {
    return (await this.send('GET', address(path, parts))) as Reply<P, 'get'>
  }

  /** A write that is of no use later; what a person did in the field goes through the queue. Rejects as `get`. */
  async post<P extends PathOf<'post'>>(
    path: P,
    parts: Parts<P, 'post'> & { body?: Body<P, 'post'> },
  ): Promise<Reply<P, 'post'>> {
    const options = { body: parts.body, key: this.platform.newId() }
    return (await this.send('POST', address(path, parts), options)) as Reply<P, 'post'>
  }

  /** A file for the interface to show, at the address that it answers. Rejects as `get`. */
  async fetchFile<P extends PathOf<'get'>>(path: P, parts: Parts<P, 'get'>): Promise<string> {
    const asked: Asked = { method: 'GET', url: this.platform.apiOrigin + address(path, parts), headers: {} }
    return succeeded(await this.signed(asked, (proven) => this.platform.download(proven))) as string
  }

  /** `key` is the Idempotency-Key: the same for every try of the same write. Rejects as `get`. */
  async send(method: Method, path: string, options: Sent = {}): Promise<unknown> {
    const headers: Record<string, string> = options.key ? { 'idempotency-key': options.key } : {}
    const body = options.body === undefined ? undefined : JSON.stringify(options.body)
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (method !== 'GET') headers['phone-time'] = new Date().toISOString()
    const asked = { method, url: this.platform.apiOrigin + path, headers, body }
    const { file, progressed } = options
    if (file && options.key && inParts(path, file)) return this.sendInParts(path, options.key, file, progressed)
    const ask: Ask = (proven) =>
      file ? this.platform.upload(proven, file, progressed) : this.platform.request(proven)
    return succeeded(await this.signed(asked, ask))
  }

  private sendInParts(path: string, key: string, file: KeptFile, progressed: Sent['progressed'] = () => undefined) {
    const sending: Sending = {
      plain: (asked) => this.signed(asked, (proven) => this.platform.request(proven)),
      part: (asked, from, to, hears) =>
        this.signed(asked, (proven) => this.platform.uploadPart(proven, file, from, to, hears)),
    }
    return sendInParts(sending, { origin: this.platform.apiOrigin, path, key, file, progressed })
  }

  /** With the token in force; once more where that had run out. */
  private async signed(asked: Asked, ask: Ask): Promise<Answered> {
    const spent = this.token()
    const answer = await ask(proven(asked, spent))
    if (answer.status !== 401) return answer
    await this.session.renew(spent)
    return ask(proven(asked, this.token()))
  }

  private token(): string {
    const kept = this.session.kept
    if (!kept) throw new SignedOut()
    return kept.access
  }
}

function proven(asked: Asked, token: string): Asked {
  return { ...asked, headers: { ...asked.headers, authorization: `Bearer ${token}` } }
}

function succeeded({ status, content }: Answered): unknown {
  if (status >= 400) throw problemOf(status, content)
  return content
}
