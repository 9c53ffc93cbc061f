import { client, session } from '@/phone'
import { useLoaded } from '@/showing/loaded'

import type { Reminder } from './kinds'

const A_PAGE = 100
const MOST = 500

export interface Inbox {
  reminders: Reminder[]
  /** How many there are in all. */
  total: number
}

/** The whole inbox, for the most pressing need not be the newest; beyond 500 the newest of them. */
async function readInbox(): Promise<Inbox> {
  const reminders: Reminder[] = []
  let after: string | null = null
  let total = 0
  do {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(after)
    reminders.push(...page.items)
    after = page.next
    total = Object.values(page.counts).reduce((sum, count) => sum + count, 0)
  } while (after && reminders.length < MOST)
  return { reminders, total }
}

const readPage = (after: string | null) => client.get('/api/mini/inbox', { query: { after, limit: A_PAGE } })

export const useInbox = () => useLoaded<Inbox>(() => `inbox:${session.me?.id}`, readInbox)
