/** What was seen last, so that a page without a network shows something. Belongs to the person; gone at sign-out. */
import { platform } from '#platform'

interface Seen<T> {
  /** ISO 8601. */
  at: string
  content: T
}

const INDEX = 'seen'
const names = () => JSON.parse(platform.notes.get(INDEX) ?? '[]') as string[]

export function remember<T>(name: string, content: T): void {
  const seen: Seen<T> = { at: new Date().toISOString(), content }
  try {
    platform.notes.set(`seen:${name}`, JSON.stringify(seen))
    if (!names().includes(name)) platform.notes.set(INDEX, JSON.stringify([...names(), name]))
  } catch {
    forget() // full: what can be read again makes room for what cannot
  }
}

export function recall<T>(name: string): Seen<T> | null {
  const text = platform.notes.get(`seen:${name}`)
  return text ? (JSON.parse(text) as Seen<T>) : null
}

export function forget(): void {
  for (const name of names()) platform.notes.remove(`seen:${name}`)
  platform.notes.remove(INDEX)
}
