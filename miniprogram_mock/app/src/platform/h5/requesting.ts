import { Unreachable, type Answered, type Asked } from '../platform'
import { whileMoving } from '../stalling'

const PATIENCE_MS = 60_000

export async function request(asked: Asked, body: BodyInit | undefined = asked.body): Promise<Answered> {
  const { method, headers } = asked
  try {
    const response = await fetch(asked.url, { method, headers, body, signal: AbortSignal.timeout(PATIENCE_MS) })
    const text = await response.text()
    return { status: response.status, content: parsed(text, response.headers.get('content-type')) }
  } catch {
    throw new Unreachable()
  }
}

/** By XMLHttpRequest, for `fetch` does not tell how much of a body has left. */
export function upload(asked: Asked, body: Blob, progressed: (part: number) => void): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest()
    const patience = whileMoving(() => sending.abort())
    sending.upload.onprogress = ({ loaded, total }) => {
      patience.moved()
      progressed(loaded / total)
    }
    sending.onload = () => {
      const type = sending.getResponseHeader('content-type')
      resolve({ status: sending.status, content: parsed(sending.responseText, type) })
    }
    sending.onerror = sending.onabort = () => reject(new Unreachable())
    sending.onloadend = patience.over
    sending.open(asked.method, asked.url)
    for (const [name, value] of Object.entries(asked.headers)) sending.setRequestHeader(name, value)
    sending.send(body)
  })
}

export async function download({ method, url, headers }: Asked): Promise<Answered> {
  try {
    const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(PATIENCE_MS) })
    if (response.ok) return { status: response.status, content: URL.createObjectURL(await response.blob()) }
    return { status: response.status, content: parsed(await response.text(), response.headers.get('content-type')) }
  } catch {
    throw new Unreachable()
  }
}

function parsed(text: string, type: string | null): unknown {
  if (!text) return undefined
  return type?.includes('json') ? JSON.parse(text) : text
}
