import type { Entry, EntryStore } from '@/queue/entries'

import { transact } from './database'

/** Pages hand over what Vue watches, which IndexedDB does not clone; on WeChat entries are JSON as well. */
const plain = <T>(entry: T): T => JSON.parse(JSON.stringify(entry)) as T

/** The entries of one simulated phone; IndexedDB numbers them, so that tabs agree on their order. */
export function entriesOf(phone: () => string): EntryStore {
  return {
    all: () => transact(phone(), 'entries', 'readonly', (store) => store.getAll() as IDBRequest<Entry[]>),
    async add(fresh) {
      const seq = await transact(phone(), 'entries', 'readwrite', (store) => store.add(plain(fresh)))
      return { ...fresh, seq: Number(seq) }
    },
    put: async (entry) => void (await transact(phone(), 'entries', 'readwrite', (store) => store.put(plain(entry)))),
    remove: (seq) => transact(phone(), 'entries', 'readwrite', (store) => store.delete(seq)),
  }
}
