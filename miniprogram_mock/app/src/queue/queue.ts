/**
 * The offline queue: what the person did is kept first and sent when it can be, in order, once.
 *
 * What is about one matter goes in order: a refusal holds back what follows it about the same matter, nothing else.
 * A refused entry stays, with the reason, until the person deletes or mends it.
 */
import { StorageFull, Unreachable } from '@/platform/platform'

import { pauseAfter } from './backoff'
import type { Entry, EntryStore, Fresh } from './entries'

/** What the server made of an entry; `later` where asking again may help. */
export type Outcome =
  | { kind: 'done'; content: unknown }
  | { kind: 'refused'; code: string; detail: string }
  | { kind: 'later' }

export type Draft = Pick<Entry, 'kind' | 'title' | 'about' | 'method' | 'path' | 'body' | 'file'>

/** Hears what part of an entry's file has left, from 0 to 1. */
export type Progressed = (part: number) => void

export interface Surroundings {
  store: EntryStore
  /** Rejects with Unreachable where no answer came. */
  send(entry: Entry, progressed: Progressed): Promise<Outcome>
  /** Who is signed in; null while nobody is, and nothing is sent. */
  owner(): string | null
  /** Only one tab at a time sends. */
  alone<T>(name: string, task: () => Promise<T>): Promise<T>
  newId(): string
  dropFile(file: NonNullable<Entry['file']>): Promise<void>
  /** Entries that a phone keeps at most. */
  most?: number
  firstPauseMs?: number
}

export class Queue {
  private listeners = new Set<(entries: Entry[]) => void>()
  private finished = new Set<(entry: Entry, content: unknown) => void>()
  private following = new Set<(entry: Entry, part: number) => void>()
  /** What was told last. */
  private told: Entry[] = []
  private flushing: Promise<void> | null = null
  private again = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly around: Surroundings) {}

  /** The signed-in person's entries, in order. */
  async mine(): Promise<Entry[]> {
    const owner = this.around.owner()
    return (await this.around.store.all()).filter((entry) => entry.owner === owner)
  }

  /** Keep a write and start sending. Rejects with StorageFull: it was not kept, everything kept earlier is. */
  async add(draft: Draft): Promise<Entry> {
    const owner = this.around.owner()
    if (!owner) throw new Error('nobody is signed in')
    if ((await this.around.store.all()).length >= (this.around.most ?? 200)) throw new StorageFull()
    const fresh: Fresh = { ...draft, id: this.around.newId(), owner, made_at: new Date().toISOString(), state: 'waiting' }
    const entry = await this.around.store.add(fresh)
    await this.tell()
    void this.flush()
    return entry
  }

  /** Send a refused entry again: as it is under its old key, or mended (`body`) under a fresh one. */
  async retry(entry: Entry, body?: unknown): Promise<void> {
    const { problem: _, ...kept } = entry
    const mended = body === undefined ? {} : { body, id: this.around.newId() }
    await this.around.store.put({ ...kept, ...mended, state: 'waiting' })
    await this.tell()
    void this.flush()
  }

  /** The person gives an entry up; its file goes with it. What is being sent at this moment cannot be called back. */
  async remove(entry: Entry): Promise<void> {
    const now = (await this.around.store.all()).find((one) => one.seq === entry.seq)
    if (!now || (now.state === 'sending' && this.flushing)) return
    this.told = this.told.filter((one) => one.seq !== entry.seq)
    await this.around.store.remove(entry.seq)
    if (entry.file) await this.around.dropFile(entry.file)
    await this.tell()
    void this.flush()
  }

  /** Told of the person's entries at once and after every change; returns how to stop. */
  watch(listener: (entries: Entry[]) => void): () => void {
    this.listeners.add(listener)
    void this.tell()
    return () => this.listeners.delete(listener)
  }

  /** Told of every entry that was done, with the server's answer where this tab heard it; returns how to stop. */
  onDone(listener: (entry: Entry, content: unknown) => void): () => void {
    this.finished.add(listener)
    return () => this.finished.delete(listener)
  }

  /** Told how far the file of an entry has come that is being sent; returns how to stop. */
  onProgress(listener: (entry: Entry, part: number) => void): () => void {
    this.following.add(listener)
    return () => this.following.delete(listener)
  }

  /** The network is back, so earlier failures say nothing about the next try. */
  networkReturned(): void {
    this.failures = 0
    void this.flush()
  }

  /** Send what can be sent; called at start, when the network returns, and after every `add`. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.timer)
    if (this.flushing) {
      this.again = true
      return this.flushing
    }
    this.flushing = this.around
      .alone('queue', () => this.sendAll())
      .catch(() => false)
      .then((complete) => this.flushed(complete))
    return this.flushing
  }

  private flushed(complete: boolean): Promise<void> | void {
    this.flushing = null
    if (this.again) {
      this.again = false
      return this.flush()
    }
    this.failures = complete ? 0 : this.failures + 1
    if (!complete) this.timer = setTimeout(() => void this.flush(), pauseAfter(this.failures, this.around.firstPauseMs))
  }

  /** Whether nothing is left that asking again might help. Words go before files, which hardly move on a weak network. */
  private async sendAll(): Promise<boolean> {
    await this.hearOthers()
    const putOff = new Set<string>()
    const reached = (await this.sendRound(false, putOff)) && (await this.sendRound(true, putOff))
    return reached && putOff.size === 0
  }

  /** Each matter in order, up to its first file unless `files` go too; whether the server could be reached. */
  private async sendRound(files: boolean, putOff: Set<string>): Promise<boolean> {
    const held = new Set(putOff)
    for (const entry of await this.mine()) {
      if (entry.state === 'refused' || (entry.file && !files)) held.add(entry.about)
      if (held.has(entry.about)) continue
      // `sending` here is left over from a page that is gone: whoever holds the lock is the only one who sends.
      const outcome = await this.sendOne(entry)
      if (outcome === 'unreachable') return false
      if (outcome !== 'done') held.add(entry.about)
      if (outcome === 'later') putOff.add(entry.about)
    }
    return true
  }

  /** What is gone since it was told last, another tab has sent. */
  private async hearOthers(): Promise<void> {
    const owner = this.around.owner()
    const left = new Set((await this.mine()).map((entry) => entry.seq))
    const gone = this.told.filter((entry) => entry.owner === owner && !left.has(entry.seq))
    for (const entry of gone) this.finished.forEach((listener) => listener(entry, undefined))
    if (gone.length) await this.tell()
  }

  private async sendOne(entry: Entry): Promise<Outcome['kind'] | 'unreachable'> {
    await this.mark({ ...entry, state: 'sending' })
    try {
      const outcome = await this.around.send(entry, (part) => this.following.forEach((listener) => listener(entry, part)))
      await this.settle(entry, outcome)
      return outcome.kind
    } catch (fault) {
      await this.mark({ ...entry, state: 'waiting' })
      return fault instanceof Unreachable ? 'unreachable' : 'later'
    }
  }

  private async settle(entry: Entry, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'done') {
      await this.around.store.remove(entry.seq)
      if (entry.file) await this.around.dropFile(entry.file)
      this.finished.forEach((listener) => listener(entry, outcome.content))
      return this.tell()
    }
    const { code, detail } = outcome.kind === 'refused' ? outcome : { code: '', detail: '' }
    return this.mark(code ? { ...entry, state: 'refused', problem: { code, detail } } : { ...entry, state: 'waiting' })
  }

  private async mark(entry: Entry): Promise<void> {
    await this.around.store.put(entry)
    await this.tell()
  }

  private async tell(): Promise<void> {
    const entries = await this.mine()
    this.told = entries
    this.listeners.forEach((listener) => listener(entries))
  }
}
