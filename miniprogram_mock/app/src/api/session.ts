/** Who is signed in on this phone: a short token for every request, a rotating one for the next pair. */
import type { Platform } from '@/platform/platform'

import type { Schemas } from './contract'
import { Problem, problemOf, SignedOut } from './problems'

export type Person = Schemas['MeOut']
export type Zone = Schemas['ZoneOut']

interface Kept {
  access: string
  refresh: string
  me: Person
  zone: Zone
}

/** What signing in answered: done, or the ticket with which a phone number is bound. */
export type SignIn = { state: 'signed_in'; me: Person } | { state: 'to_bind'; ticket: string }

const NAME = 'session'
const ENDED = new Set(['refresh_expired', 'refresh_invalid', 'refresh_reused', 'sign_in_ended'])

export class Session {
  private listeners = new Set<() => void>()

  constructor(private readonly platform: Platform) {}

  /** Read anew each time: another tab may have renewed it. */
  get kept(): Kept | null {
    const text = this.platform.notes.get(NAME)
    return text ? (JSON.parse(text) as Kept) : null
  }

  get me(): Person | null {
    return this.kept?.me ?? null
  }

  /** Told when somebody signs in or out. */
  watch(listener: () => void): void {
    this.listeners.add(listener)
  }

  /** Rejects with Problem, Unreachable. */
  async signIn(): Promise<SignIn> {
    return this.took(await this.ask('/api/mini/sign-in', { code: await this.platform.login() }))
  }

  /** Rejects with Problem (`not_in_roster`, `several_zones`…), Unreachable. */
  async bind(asked: Schemas['BindIn']): Promise<SignIn> {
    return this.took(await this.ask('/api/mini/bind', asked))
  }

  /** The next pair after `spent` was refused. Whoever comes meanwhile waits and gets the same. Rejects with SignedOut. */
  renew(spent: string): Promise<void> {
    return this.platform.alone('session', async () => {
      const kept = this.kept
      if (!kept) throw new SignedOut()
      if (kept.access !== spent) return
      try {
        const tokens = (await this.ask('/api/mini/refresh', { refresh_token: kept.refresh })) as Schemas['TokensOut']
        this.keep({ ...kept, access: tokens.access_token, refresh: tokens.refresh_token })
      } catch (fault) {
        if (!(fault instanceof Problem && ENDED.has(fault.code))) throw fault
        await this.again(kept)
      }
    })
  }

  /** WeChat still knows the person: a sign-in that ran out asks nothing of them, unless they are no longer bound. */
  private async again(kept: Kept): Promise<void> {
    const found = await this.signIn().catch((fault) => {
      if (fault instanceof Problem && !fault.mayPass) this.forget()
      throw fault
    })
    if (found.state === 'signed_in' && found.me.id === kept.me.id) return
    if (found.state === 'to_bind') this.forget()
    throw new SignedOut()
  }

  /** Keeps nothing but what waits to be sent, which only the same person will send. */
  forget(): void {
    this.platform.notes.remove(NAME)
    this.tell()
  }

  private took(answer: unknown): SignIn {
    const { tokens, me, zone, ticket } = answer as Schemas['SignInOut']
    if (!tokens || !me || !zone) return { state: 'to_bind', ticket: ticket ?? '' }
    this.keep({ access: tokens.access_token, refresh: tokens.refresh_token, me, zone })
    this.tell()
    return { state: 'signed_in', me }
  }

  private keep(kept: Kept): void {
    this.platform.notes.set(NAME, JSON.stringify(kept))
  }

  private tell(): void {
    this.listeners.forEach((listener) => listener())
  }

  private async ask(path: string, content: unknown): Promise<unknown> {
    const { status, content: answer } = await this.platform.request({
      method: 'POST',
      url: this.platform.apiOrigin + path,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(content),
    })
    if (status >= 400) throw problemOf(status, answer)
    return answer
  }
}
