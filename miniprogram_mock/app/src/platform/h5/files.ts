import { FileGone, type KeptFile, type Platform } from '../platform'

import { transact } from './database'

interface Row {
  reference: string
  content: Blob
}

const LONGEST_SIDE = 2560
const QUALITY = 0.8

export async function keep(phone: string, file: File): Promise<KeptFile> {
  const reference = crypto.randomUUID()
  await transact(phone, 'files', 'readwrite', (store) => store.put({ reference, content: file } satisfies Row))
  return { reference, name: file.name, size: file.size }
}

export async function contentOf(phone: string, file: KeptFile): Promise<Blob> {
  const row = await transact(phone, 'files', 'readonly', (store) => store.get(file.reference) as IDBRequest<Row | undefined>)
  if (!row) throw new FileGone()
  return row.content
}

/** A JPEG of at most 2560 pixels a side, upright; what the camera noted of time and place is not in it. */
async function smaller(photo: Blob): Promise<Blob> {
  const drawn = await createImageBitmap(photo, { imageOrientation: 'from-image' })
  const scale = Math.min(1, LONGEST_SIDE / Math.max(drawn.width, drawn.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(drawn.width * scale)
  canvas.height = Math.round(drawn.height * scale)
  canvas.getContext('2d')!.drawImage(drawn, 0, 0, canvas.width, canvas.height)
  drawn.close()
  return new Promise((resolve) => canvas.toBlob((made) => resolve(made ?? photo), 'image/jpeg', QUALITY))
}

async function compressed(phone: string, photo: KeptFile): Promise<KeptFile> {
  const content = await contentOf(phone, photo)
  const made = await smaller(content).catch(() => content) // what cannot be drawn is sent as it is, and judged there
  if (made.size >= content.size) return photo
  const kept = await keep(phone, new File([made], photo.name.replace(/\.\w+$/, '.jpg')))
  await drop(phone, photo)
  return kept
}

function open(address: string, extension: string): void {
  Object.assign(document.createElement('a'), { href: address, download: `佐证材料.${extension}` }).click()
}

const drop = (phone: string, file: KeptFile) =>
  transact(phone, 'files', 'readwrite', (store) => store.delete(file.reference))

export function filesOf(phone: () => string): Platform['files'] {
  return {
    show: async (file) => URL.createObjectURL(await contentOf(phone(), file)),
    bytes: async (file) => (await contentOf(phone(), file)).arrayBuffer(),
    drop: (file) => drop(phone(), file),
    compressed: (photo) => compressed(phone(), photo),
    open: async (address, extension) => open(address, extension),
  }
}
