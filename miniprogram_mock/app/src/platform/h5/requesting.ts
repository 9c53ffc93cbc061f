import { Unreachable, type Answered, type Asked } from '../platform'

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

function parsed(text: string, type: string | null): unknown {
  if (!text) return undefined
  return type?.includes('json') ? JSON.parse(text) : text
}
