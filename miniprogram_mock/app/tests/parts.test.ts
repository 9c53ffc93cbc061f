/** A large file survives a network that breaks off, on both halves of the phone. */
import 'fake-indexeddb/auto'

import { randomBytes, randomUUID } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Client } from '@/api/client'
import { Session } from '@/api/session'
import { contentOf, keep } from '@/platform/h5/files'
import { request } from '@/platform/h5/requesting'
import { FileGone, type KeptFile, type Platform, Unreachable } from '@/platform/platform'
import { uploadPart } from '@/platform/wechat/requesting'

import { Shelf } from './uploads'
import { installParts } from './wechat_client'

const MEGABYTE = 2 ** 20
const ITEM = randomUUID()
const PATH = `/api/mini/evidence/upload?kind=photo&item_id=${ITEM}&captured_at=2026-11-24T10%3A20%3A00%2B08%3A00`

let shelf: Shelf
let key = ''
let photo = Buffer.alloc(0)

beforeEach(async () => {
  shelf = new Shelf()
  await shelf.open()
  key = randomUUID()
  photo = randomBytes(2 * MEGABYTE + 300_001)
})
afterEach(() => shelf.close())

const browser = (number: string): Platform['uploadPart'] => async (asked, file, from, to, progressed) => {
  const answer = await request(asked, (await contentOf(number, file)).slice(from, to))
  progressed?.(1)
  return answer
}

async function phones(): Promise<[string, Platform['uploadPart'], KeptFile][]> {
  const number = randomUUID()
  installParts(new Map([['store_1', photo]]))
  const inBrowser = await keep(number, new File([photo], '桥.jpg'))
  return [
    ['h5', browser(number), inBrowser],
    ['wechat', uploadPart, { reference: 'store_1', name: '桥.jpg', size: photo.length }],
  ]
}

function clientOf(part: Platform['uploadPart']): Client {
  const kept = JSON.stringify({ access: 'a', refresh: 'r', me: { id: 'wang' }, zone: {} })
  const notes = { get: () => kept, set: () => undefined, remove: () => undefined }
  const platform = { apiOrigin: shelf.origin, request, uploadPart: part, notes } as unknown as Platform
  return new Client(platform, new Session(platform))
}

describe.each([0, 1])('half %i', (half) => {
  test('a file arrives byte for byte, with what was said of it, and tells how far it is', async () => {
    const [, part, file] = (await phones())[half]!
    const parts: number[] = []
    await clientOf(part).send('POST', PATH, { key, file, progressed: (sent) => parts.push(sent) })
    expect(shelf.arrived.get(key)!.equals(photo)).toBe(true)
    expect(shelf.said.get(key)).toEqual({
      ...{ kind: 'photo', item_id: ITEM, client_id: key },
      captured_at: '2026-11-24T10:20:00+08:00',
    })
    expect(parts.at(-1)).toBe(1)
    expect(parts.every((sent, at) => at === 0 || sent > parts[at - 1]!)).toBe(true)
  })

  test('after a connection that broke off only the rest is sent', async () => {
    const [, part, file] = (await phones())[half]!
    const client = clientOf(part)
    shelf.breakAfter = 700_000
    await expect(client.send('POST', PATH, { key, file })).rejects.toBeInstanceOf(Unreachable)
    const before = shelf.arrived.get(key)!.length
    expect(before).toBe(700_000)
    shelf.asked.length = 0
    await client.send('POST', PATH, { key, file })
    expect(shelf.arrived.get(key)!.equals(photo)).toBe(true)
    expect(shelf.asked.slice(0, 2)).toEqual(['POST', `PATCH ${before}`])
  })

  test('a refusal of the file is told, a busy upload is tried again later', async () => {
    const [, part, file] = (await phones())[half]!
    const client = clientOf(part)
    shelf.refuse = { status: 415, code: 'not_a_photo' }
    await expect(client.send('POST', PATH, { key, file })).rejects.toMatchObject({ code: 'not_a_photo', mayPass: false })
    shelf.refuse = { status: 423, code: 'upload_busy' }
    await expect(client.send('POST', PATH, { key, file })).rejects.toMatchObject({ mayPass: true })
    shelf.refuse = { status: 410, code: 'upload_ended' }
    await expect(client.send('POST', PATH, { key, file })).rejects.toBeInstanceOf(Unreachable)
  })
})

test('a WeChat phone tells a file that is gone', async () => {
  installParts(new Map())
  const file = { reference: 'store_1', name: '桥.jpg', size: MEGABYTE }
  await expect(clientOf(uploadPart).send('POST', PATH, { key, file })).rejects.toBeInstanceOf(FileGone)
})
