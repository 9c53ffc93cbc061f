/** IndexedDB, as far as it is needed: two stores of one database for each simulated phone. */
import { StorageFull } from '../platform'

export type StoreName = 'entries' | 'files'
const opened = new Map<string, Promise<IDBDatabase>>()

function database(phone: string): Promise<IDBDatabase> {
  const known = opened.get(phone)
  if (known) return known
  const opening = new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(`zhuoluo-${phone}`, 1)
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore('entries', { keyPath: 'seq', autoIncrement: true })
      asked.result.createObjectStore('files', { keyPath: 'reference' })
    }
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
  opened.set(phone, opening)
  return opening
}

/** One request in a transaction of its own; resolves once that is on the disk. Rejects with StorageFull. */
export async function transact<T>(
  phone: string,
  store: StoreName,
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const transaction = (await database(phone)).transaction(store, mode)
  return new Promise<T>((resolve, reject) => {
    const asked = act(transaction.objectStore(store))
    transaction.oncomplete = () => resolve(asked.result)
    transaction.onabort = () => reject(failure(transaction.error))
    transaction.onerror = () => reject(failure(transaction.error))
  })
}

function failure(error: DOMException | null): unknown {
  return error?.name === 'QuotaExceededError' ? new StorageFull() : error
}
