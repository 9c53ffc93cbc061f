/** Asking the API as the person who is signed in. */
import type { Answered, Asked, KeptFile, Platform } from '@/platform/platform'

import { address, type Body, type Parts, type PathOf, type Reply } from './contract'
import { problemOf, SignedOut } from './problems'
import type { Session } from './session'

type Method = Asked['method']

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

  /** `key` is the Idempotency-Key: the same for every try of the same write. Rejects as `get`. */
  async send(
    method: Method,
    path: string,
    options: { body?: unknown; key?: string; file?: KeptFile } = {},
  ): Promise<unknown> {
    const headers: Record<string, string> = options.key ? { 'idempotency-key': options.key } : {}
    const body = options.body === undefined ? undefined : JSON.stringify(options.body)
    if (body !== undefined) headers['content-type'] = 'application/json'
    const asked = { method, url: this.platform.apiOrigin + path, headers, body }
    const { status, content } = await this.signed(asked, options.file)
    if (status >= 400) throw problemOf(status, content)
    return content
  }

  /** With the token in force; once more where that had run out. */
  private async signed(asked: Asked, file?: KeptFile): Promise<Answered> {
    const spent = this.token()
    const answer = await this.once(asked, spent, file)
    if (answer.status !== 401) return answer
    await this.session.renew(spent)
    return this.once(asked, this.token(), file)
  }

  private once(asked: Asked, token: string, file?: KeptFile): Promise<Answered> {
    const proven = { ...asked, headers: { ...asked.headers, authorization: `Bearer ${token}` } }
    return file ? this.platform.upload(proven, file) : this.platform.request(proven)
  }

  private token(): string {
    const kept = this.session.kept
    if (!kept) throw new SignedOut()
    return kept.access
  }
}
