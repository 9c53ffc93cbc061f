import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { FileGone, StorageFull, Unreachable } from '@/platform/platform'
import { pauseAfter } from '@/queue/backoff'
import type { Entry } from '@/queue/entries'
import type { Outcome, Queue } from '@/queue/queue'

import { draft, phone, type TestPhone } from './phones'
import { Office } from './server'

let office: Office
let mine: TestPhone

beforeEach(async () => {
  office = new Office()
  await office.open()
  mine = phone(() => office.origin)
  mine.signIn('wang')
})
afterEach(() => office.close())

const paths = () => office.done.map((one) => one.path)
const left = async (queue: Queue) => (await queue.mine()).map((entry) => `${entry.path} ${entry.state}`)

/** Resolves when the queue has nothing waiting any more. */
function settled(queue: Queue): Promise<void> {
  return new Promise((resolve) => {
    const stop = queue.watch((entries) => {
      if (entries.some((entry) => entry.state !== 'refused')) return
      setTimeout(() => stop())
      resolve()
    })
  })
}

/** Wait for the flush that `add` began, which fails, without letting later ones begin. */
const tried = (queue: Queue) => queue.flush()

describe('order', () => {
  test('what was done first is sent first', async () => {
    const queue = mine.page()
    for (const path of ['/1', '/2', '/3']) await queue.add(draft(`item:${path}`, path))
    await settled(queue)
    expect(paths()).toEqual(['/1', '/2', '/3'])
  })

  test('a refusal holds back what follows about the same matter, and nothing else', async () => {
    office.orders.set('/a/receive', 409)
    const queue = mine.page()
    await queue.add(draft('item:a', '/a/receive'))
    await queue.add(draft('item:a', '/a/report'))
    await queue.add(draft('item:b', '/b/receive'))
    await queue.flush()
    expect(paths()).toEqual(['/b/receive'])
    expect(await left(queue)).toEqual(['/a/receive refused', '/a/report waiting'])
  })

  test('a server that is ill holds back one matter and is asked again', async () => {
    office.orders.set('/a', 503)
    const queue = mine.page()
    await queue.add(draft('item:a', '/a'))
    await queue.add(draft('item:b', '/b'))
    await tried(queue)
    expect(paths()).toEqual(['/b'])
    office.orders.clear()
    await settled(queue)
    expect(paths()).toEqual(['/b', '/a'])
  })
})

describe('files', () => {
  const file = { reference: 'photo', name: '桥.jpg', size: 3 }
  const waiting = async () => {
    const away = mine.page({ send: () => Promise.reject(new Unreachable()), firstPauseMs: 60_000 })
    await away.add({ ...draft('item:a', '/upload'), file })
    await away.add(draft('item:a', '/close-out'))
    await away.add(draft('item:b', '/report'))
    await tried(away)
  }

  test('go after words, but never behind what follows them about the same matter', async () => {
    await waiting()
    const sent: string[] = []
    await mine.page({ send: async (entry) => (sent.push(entry.path), { kind: 'done', content: null }) }).flush()
    expect(sent).toEqual(['/report', '/upload', '/close-out'])
  })

  test('that do not move hold no other matter back', async () => {
    await waiting()
    const stalls = async (entry: Entry): Promise<Outcome> => {
      if (entry.file) throw new Unreachable()
      return { kind: 'done', content: null }
    }
    const queue = mine.page({ send: stalls, firstPauseMs: 60_000 })
    await queue.flush()
    expect(await left(queue)).toEqual(['/upload waiting', '/close-out waiting'])
  })
})

describe('nothing is lost', () => {
  test('what waits survives a restart and is sent by the next page', async () => {
    await office.close()
    const before = mine.page({ firstPauseMs: 60_000 })
    await before.add(draft('item:a', '/a', { text: '已完成' }))
    await tried(before)
    await office.open()
    const after = mine.page()
    expect(await left(after)).toEqual(['/a waiting'])
    await after.flush()
    expect(office.done).toMatchObject([{ path: '/a', body: { text: '已完成' } }])
    expect(await left(after)).toEqual([])
  })

  test('an entry whose answer was lost is sent again under the same key, and done once', async () => {
    office.orders.set('/a', 'drop')
    const queue = mine.page()
    const { id } = await queue.add(draft('item:a', '/a'))
    await settled(queue)
    expect(office.asked).toEqual([id, id])
    expect(office.done).toHaveLength(1)
  })

  test('failures before the network returned make nobody wait after it', async () => {
    await office.close()
    const queue = mine.page({ firstPauseMs: 100 })
    await queue.add(draft('item:a', '/a'))
    for (let failure = 0; failure < 8; failure += 1) await tried(queue)
    queue.networkReturned() // the phone believes so before it is so
    await tried(queue)
    await office.open()
    await settled(queue) // the ninth failure's pause would be longer than this test may take
    expect(paths()).toEqual(['/a'])
  })

  test('a page that ended while sending leaves the entry to the next one', async () => {
    const entry = await mine.page({ send: () => new Promise(() => undefined), alone: (_, task) => task() }).add(draft('a', '/a'))
    await mine.platform.entries.put({ ...entry, state: 'sending' })
    await mine.page().flush()
    expect(paths()).toEqual(['/a'])
  })

  test('a full phone keeps what it has, and says so', async () => {
    await office.close()
    const queue = mine.page({ most: 2, firstPauseMs: 60_000 })
    await queue.add(draft('item:a', '/a'))
    await queue.add(draft('item:b', '/b'))
    await expect(queue.add(draft('item:c', '/c'))).rejects.toBeInstanceOf(StorageFull)
    await tried(queue)
    expect(await left(queue)).toEqual(['/a waiting', '/b waiting'])
    await office.open()
  })
})

describe('a refused entry', () => {
  test('stays, with the reason, over a restart, and is not sent again by itself', async () => {
    office.orders.set('/a', 409)
    const queue = mine.page()
    await queue.add(draft('item:a', '/a'))
    await queue.flush()
    await mine.page().flush()
    expect(office.asked).toHaveLength(1)
    const [entry] = await mine.page().mine()
    expect(entry).toMatchObject({ state: 'refused', problem: { code: 'wrong_state', detail: '事项已签收，不用再做。' } })
  })

  test('that the person mends goes under a fresh key, and what it held back follows', async () => {
    office.orders.set('/a', 422)
    const queue = mine.page()
    const first = await queue.add(draft('item:a', '/a', { text: '' }))
    await queue.add(draft('item:a', '/a/close-out'))
    await queue.flush()
    office.orders.clear()
    const [refused] = await queue.mine()
    await queue.retry(refused!, { text: '已完成' })
    await settled(queue)
    expect(office.done.map(({ path, body }) => [path, body])).toEqual([
      ['/a', { text: '已完成' }],
      ['/a/close-out', {}],
    ])
    expect(office.done[0]!.key).not.toBe(first.id)
  })

  test('that the person deletes is gone, and what it held back follows', async () => {
    office.orders.set('/a', 409)
    const queue = mine.page()
    await queue.add(draft('item:a', '/a'))
    await queue.add(draft('item:a', '/b'))
    await queue.flush()
    const [refused] = await queue.mine()
    await queue.remove(refused!)
    await settled(queue)
    expect(paths()).toEqual(['/b'])
  })
})

describe('files', () => {
  test('go with their entry, and leave the phone once they have arrived', async () => {
    const queue = mine.page()
    const file = await mine.chosen('桥.jpg')
    await queue.add({ ...draft('item:a', '/upload'), body: undefined, file })
    await settled(queue)
    expect(office.sizes).toEqual([file.size])
    await expect(mine.platform.files.bytes(file)).rejects.toBeInstanceOf(FileGone)
  })

  test('that are no longer on the phone are told of, and hold nothing else back', async () => {
    const queue = mine.page()
    const file = await mine.chosen('桥.jpg')
    await mine.platform.files.drop(file)
    await queue.add({ ...draft('item:a', '/upload'), body: undefined, file })
    await queue.add(draft('item:b', '/b'))
    await queue.flush()
    expect(paths()).toEqual(['/b'])
    expect(await queue.mine()).toMatchObject([{ state: 'refused', problem: { code: 'file_gone' } }])
  })
})

describe('several', () => {
  test('two tabs that flush at once send each entry once', async () => {
    const [one, other] = [mine.page(), mine.page()]
    for (const path of ['/1', '/2', '/3']) await one.add(draft(path, path))
    await Promise.all([one.flush(), other.flush(), one.flush(), other.flush()])
    expect(office.asked).toHaveLength(3)
    expect(paths()).toEqual(['/1', '/2', '/3'])
  })

  test('a tab hears of what another one sent', async () => {
    await office.close()
    const queue = mine.page({ firstPauseMs: 60_000 })
    const heard: string[] = []
    queue.onDone((entry) => heard.push(entry.path))
    await queue.add(draft('item:a', '/a'))
    await tried(queue)
    await office.open()
    await mine.page().flush()
    await queue.flush()
    expect([paths(), heard]).toEqual([['/a'], ['/a']])
  })

  test('another person on the same phone neither sees nor sends what waits', async () => {
    await office.close()
    const queue = mine.page({ firstPauseMs: 60_000 })
    await queue.add(draft('item:a', '/a'))
    await tried(queue)
    await office.open()
    mine.signIn('li')
    await queue.flush()
    expect([await queue.mine(), paths()]).toEqual([[], []])
    mine.signIn('wang')
    await queue.flush()
    expect(paths()).toEqual(['/a'])
  })

  test('a token that ran out keeps the entry waiting while nobody can sign in', async () => {
    office.orders.set('/a', 401)
    office.orders.set('/api/mini/refresh', 503)
    const queue = mine.page({ firstPauseMs: 60_000 })
    await queue.add(draft('item:a', '/a'))
    await tried(queue)
    expect(await left(queue)).toEqual(['/a waiting'])
  })
})

test('pauses double up to five minutes and are spread by up to half', () => {
  const whole = [1, 2, 3, 4, 20].map((failures) => pauseAfter(failures, 2000, () => 0))
  expect(whole).toEqual([2000, 4000, 8000, 16_000, 300_000])
  expect(pauseAfter(1, 2000, () => 0.999)).toBeGreaterThan(1000)
})
