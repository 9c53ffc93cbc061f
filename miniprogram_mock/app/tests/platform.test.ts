/** Both halves keep the same promise about what waits. */
import 'fake-indexeddb/auto'

import { randomUUID } from 'node:crypto'

import { beforeEach, describe, expect, test } from 'vitest'
import { reactive } from 'vue'

import { entriesOf } from '@/platform/h5/entries'
import { filesOf, keep } from '@/platform/h5/files'
import { FileGone, StorageFull, Unreachable } from '@/platform/platform'
import { inTurn } from '@/platform/turns'
import { entries as wechatEntries } from '@/platform/wechat/entries'
import { upload } from '@/platform/wechat/requesting'
import type { EntryStore, Fresh } from '@/queue/entries'

import { draft } from './phones'
import { Office } from './server'
import { installStorage, installUploads } from './wechat_client'

const fresh = (path: string, body: unknown = {}): Fresh => ({
  ...draft('item:a', path, body),
  ...{ id: randomUUID(), owner: 'wang', made_at: '2026-11-24T08:00:00Z', state: 'waiting' },
})

const HALVES: [string, () => EntryStore][] = [
  ['h5', () => entriesOf(() => number)],
  ['wechat', () => wechatEntries],
]
let number = ''

beforeEach(() => {
  number = randomUUID()
  installStorage()
})

describe.each(HALVES)('%s', (_, storeOf) => {
  test('entries come back in the order in which they were added, whatever happened to others', async () => {
    const store = storeOf()
    const added = []
    for (let at = 0; at < 12; at += 1) added.push(await store.add(fresh(`/${at}`)))
    await store.remove(added[3]!.seq)
    await store.put({ ...added[5]!, state: 'refused' })
    await store.add(fresh('/last'))
    const found = await storeOf().all()
    expect(found.map((one) => one.path)).toEqual(['/0', '/1', '/2', '/4', '/5', '/6', '/7', '/8', '/9', '/10', '/11', '/last'])
    expect(found.find((one) => one.path === '/5')?.state).toBe('refused')
  })

  test('an entry keeps what a page made of reactive objects', async () => {
    const page = reactive({ place: { latitude: 30.59, longitude: 114.31 } })
    const store = storeOf()
    const added = await store.add(fresh('/a', { place: page.place }))
    await store.put({ ...added, body: { place: page.place, again: true } })
    expect((await store.all())[0]?.body).toEqual({ place: { latitude: 30.59, longitude: 114.31 }, again: true })
  })

  test('an entry keeps all that it was made of', async () => {
    const made = fresh('/a', { text: '已完成', missing: null })
    await storeOf().add(made)
    expect(await storeOf().all()).toMatchObject([made])
  })
})

test('a WeChat phone that is full refuses the next entry and keeps every earlier one', async () => {
  const half = 'x'.repeat(2 ** 19)
  let kept = 0
  const fill = async () => {
    for (;;) {
      await wechatEntries.add(fresh(`/${kept}`, half))
      kept += 1
    }
  }
  await expect(fill()).rejects.toBeInstanceOf(StorageFull)
  const all = await wechatEntries.all()
  expect(kept).toBeGreaterThan(10)
  expect(all).toHaveLength(kept)
  await wechatEntries.remove(all[0]!.seq)
  await wechatEntries.add(fresh('/again', half))
  expect((await wechatEntries.all()).at(-1)?.path).toBe('/again')
})

test('a file kept in the browser is the same byte for byte until it is dropped', async () => {
  const files = filesOf(() => number)
  const file = await keep(number, new File([new Uint8Array([255, 216, 0, 7])], '桥.jpg'))
  expect([file.name, file.size]).toEqual(['桥.jpg', 4])
  await files.drop(file)
  await expect(files.bytes(file)).rejects.toBeInstanceOf(FileGone)
})

describe('a WeChat phone that uploads', () => {
  const file = { reference: 'store_1', name: '桥.jpg', size: 4 }
  const asked = { method: 'POST' as const, headers: { 'idempotency-key': randomUUID() } }

  test('sends one form, says how far it is, and reads the answer', async () => {
    installUploads(new Map([['store_1', new Uint8Array([255, 216, 0, 7])]]))
    const office = new Office()
    await office.open()
    const parts: number[] = []
    const answer = await upload({ ...asked, url: `${office.origin}/upload` }, file, (part) => parts.push(part))
    await office.close()
    expect([answer, parts, office.sizes.length]).toEqual([{ status: 200, content: {} }, [1], 1])
  })

  test('tells a file that is gone from a server that does not answer', async () => {
    installUploads(new Map())
    await expect(upload({ ...asked, url: 'http://127.0.0.1:1/' }, file)).rejects.toBeInstanceOf(FileGone)
    installUploads(new Map([['store_1', new Uint8Array([7])]]))
    await expect(upload({ ...asked, url: 'http://127.0.0.1:1/' }, file)).rejects.toBeInstanceOf(Unreachable)
  })
})

test('turns of one name follow each other, also after a failure; other names do not wait', async () => {
  const said: string[] = []
  let release = () => undefined as void
  const held = inTurn('a', () => new Promise<void>((resolve) => (release = resolve)))
  const failing = inTurn('a', async () => {
    said.push('a2')
    throw new Error('no')
  })
  const third = inTurn('a', async () => said.push('a3'))
  await inTurn('b', async () => said.push('b1'))
  release()
  await Promise.allSettled([held, failing, third])
  expect(said).toEqual(['b1', 'a2', 'a3'])
})
