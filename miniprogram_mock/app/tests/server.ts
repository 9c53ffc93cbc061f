/** A server that takes writes as the API does: an Idempotency-Key it knows is answered alike, and done once. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Taken {
  key: string
  path: string
  body: unknown
}

export class Office {
  /** What was done, in order; a repeat is not done again. */
  readonly done: Taken[] = []
  /** Every request that came, repeats included. */
  readonly asked: string[] = []
  /** Bytes of each file that came. */
  readonly sizes: number[] = []
  /** Where they went. */
  readonly paths: string[] = []
  /** Answers to give instead, by path: a status, or `drop` (done, but the connection breaks before the answer). */
  readonly orders = new Map<string, number | 'drop'>()
  /** The code of what it refuses. */
  code = 'wrong_state'
  /** Access tokens that have run out. */
  readonly expired = new Set<string>()
  /** What a path answers; `{}` otherwise. */
  readonly answers = new Map<string, unknown>()
  private server: Server | undefined
  origin = ''

  async open(port = 0): Promise<void> {
    this.server = createServer((request, response) => void this.take(request, response))
    await new Promise<void>((ready) => this.server!.listen(port, '127.0.0.1', ready))
    this.origin = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections()
    await new Promise((closed) => this.server?.close(closed))
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const bytes = Buffer.concat(parts)
    const isJson = request.headers['content-type']?.includes('json') ?? false
    if (!isJson && bytes.length) this.sizes.push(bytes.length)
    const text = isJson ? bytes.toString() : ''
    const path = request.url ?? ''
    const key = String(request.headers['idempotency-key'])
    this.asked.push(key)
    this.paths.push(path)
    const order = this.orders.get(path)
    if (this.expired.has(request.headers.authorization ?? '')) return void this.refuse(response, 401)
    if (typeof order === 'number') return void this.refuse(response, order)
    if (!this.done.some((one) => one.key === key)) this.done.push({ key, path, body: text ? JSON.parse(text) : null })
    if (order === 'drop') {
      this.orders.delete(path)
      return void request.socket.destroy()
    }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(this.answers.get(path) ?? {}))
  }

  private refuse(response: ServerResponse, status: number): void {
    const problem = { code: this.code, detail: '事项已签收，不用再做。', status, title: '', type: '', faults: [] }
    response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
  }
}
