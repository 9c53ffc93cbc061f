/** A server that takes files in parts as the API does: what arrived before a connection broke off stays. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const UPLOADS = '/api/mini/evidence/uploads'

export class Shelf {
  /** The bytes that have arrived, by the client's id. */
  readonly arrived = new Map<string, Buffer>()
  /** What was said of each file, decoded. */
  readonly said = new Map<string, Record<string, string>>()
  /** Requests: method (as overridden) and offset. */
  readonly asked: string[] = []
  /** Break the connection once so many bytes of the next part have come. */
  breakAfter: number | null = null
  /** Refuse the next part. */
  refuse: { status: number; code: string } | null = null
  private readonly lengths = new Map<string, number>()
  private server: Server | undefined
  origin = ''

  async open(): Promise<void> {
    this.server = createServer((request, response) => void this.take(request, response).catch(() => undefined))
    await new Promise<void>((ready) => this.server!.listen(0, '127.0.0.1', ready))
    this.origin = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections()
    await new Promise((closed) => this.server?.close(closed))
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = String(request.headers['x-http-method-override'] ?? request.method)
    const id = request.url!.slice(UPLOADS.length + 1)
    this.asked.push(`${method} ${request.headers['upload-offset'] ?? ''}`.trim())
    if (method === 'POST') return this.begin(request, response)
    if (method === 'GET') return this.answer(response, 200, this.state(id))
    const order = this.refuse
    this.refuse = null
    if (order) return this.answer(response, order.status, { ...order, detail: '没有保存。' })
    if (Number(request.headers['upload-offset']) !== this.arrived.get(id)!.length) {
      return this.answer(response, 409, { code: 'offset_mismatch', status: 409, detail: '续传的位置不对。' })
    }
    await this.append(request, id)
    response.writeHead(204).end()
  }

  private async append(request: IncomingMessage, id: string): Promise<void> {
    let came = 0
    for await (const chunk of request) {
      const bytes = (chunk as Buffer).subarray(0, (this.breakAfter ?? Infinity) - came)
      came += bytes.length
      this.arrived.set(id, Buffer.concat([this.arrived.get(id)!, bytes]))
      if (came === this.breakAfter) {
        this.breakAfter = null
        return void request.socket.destroy()
      }
    }
  }

  private begin(request: IncomingMessage, response: ServerResponse): void {
    const pairs = String(request.headers['upload-metadata']).split(',').map((pair) => pair.split(' '))
    const said = Object.fromEntries(pairs.map(([name, value]) => [name, Buffer.from(value!, 'base64').toString()]))
    const id = said.client_id!
    this.said.set(id, said)
    this.lengths.set(id, Number(request.headers['upload-length']))
    if (!this.arrived.has(id)) this.arrived.set(id, Buffer.alloc(0))
    this.answer(response, 201, this.state(id))
  }

  private state(id: string) {
    const [offset, length] = [this.arrived.get(id)!.length, this.lengths.get(id)!]
    return { id, offset, length, ends_at: '2026-11-27T08:00:00Z', evidence_id: offset === length ? randomUUID() : null }
  }

  private answer(response: ServerResponse, status: number, content: object): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
  }
}
