import type { KeptFile, Platform } from '../platform'

import { transact } from './database'

interface Row {
  reference: string
  content: Blob
}

export async function keep(phone: string, file: File): Promise<KeptFile> {
  const reference = crypto.randomUUID()
  await transact(phone, 'files', 'readwrite', (store) => store.put({ reference, content: file } satisfies Row))
  return { reference, name: file.name, size: file.size }
}

export async function contentOf(phone: string, file: KeptFile): Promise<Blob> {
  const row = await transact(phone, 'files', 'readonly', (store) => store.get(file.reference) as IDBRequest<Row | undefined>)
  if (!row) throw new Error(`no kept file ${file.reference}`)
  return row.content
}

export function filesOf(phone: () => string): Platform['files'] {
  return {
    show: async (file) => URL.createObjectURL(await contentOf(phone(), file)),
    bytes: async (file) => (await contentOf(phone(), file)).arrayBuffer(),
    drop: (file) => transact(phone(), 'files', 'readwrite', (store) => store.delete(file.reference)),
  }
}
