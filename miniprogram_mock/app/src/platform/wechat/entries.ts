import type { Entry, EntryStore } from '@/queue/entries'

import { notes } from './notes'

const PREFIX = 'entry:'
const place = (seq: number) => PREFIX + String(seq).padStart(12, '0')

const places = () => uni.getStorageInfoSync().keys.filter((key) => key.startsWith(PREFIX)).sort()

/** A storage item for each entry (WeChat: 1 MB each, 10 MB in all), so that no entry's failure costs another. */
export const entries: EntryStore = {
  all: async () => places().map((key) => JSON.parse(uni.getStorageSync(key)) as Entry),
  async add(fresh) {
    const entry = { ...fresh, seq: Number(places().pop()?.slice(PREFIX.length) ?? 0) + 1 }
    notes.set(place(entry.seq), JSON.stringify(entry))
    return entry
  },
  put: async (entry) => notes.set(place(entry.seq), JSON.stringify(entry)),
  remove: async (seq) => notes.remove(place(seq)),
}
