import { afterEach, beforeEach, expect, test } from 'vitest'

import { SignedOut } from '@/api/problems'

import { draft, phone, type TestPhone } from './phones'
import { Office } from './server'

const REFRESH = '/api/mini/refresh'
const SIGN_IN = '/api/mini/sign-in'
const FRESH = { access_token: 'fresh', refresh_token: 'r2', expires_in: 900 }
const me = (id: string) => ({ state: 'signed_in', tokens: FRESH, me: { id }, zone: {}, ticket: null })

let office: Office
let mine: TestPhone

beforeEach(async () => {
  office = new Office()
  await office.open()
  mine = phone(() => office.origin)
  mine.signIn('wang')
  office.expired.add('Bearer a')
  office.answers.set(REFRESH, FRESH)
})
afterEach(() => office.close())

const times = (path: string) => office.paths.filter((one) => one === path).length

test('many requests whose token ran out at once spend the refresh token once', async () => {
  office.answers.set('/api/mini/inbox', { items: [] })
  const reads = [1, 2, 3, 4].map(() => mine.client.get('/api/mini/inbox', {}))
  expect(await Promise.all(reads)).toHaveLength(4)
  expect(times(REFRESH)).toBe(1)
  expect(mine.session.kept).toMatchObject({ access: 'fresh', refresh: 'r2', me: { id: 'wang' } })
})

test('what waits is sent with the renewed token, under its own key', async () => {
  const { id } = await mine.page().add(draft('item:a', '/a'))
  await mine.page().flush()
  expect(office.done.at(-1)).toMatchObject({ key: id, path: '/a' })
})

test('a sign-in that has ended is begun anew without asking the person', async () => {
  office.orders.set(REFRESH, 401)
  office.code = 'refresh_expired'
  office.answers.set(SIGN_IN, me('wang'))
  await mine.client.get('/api/mini/inbox', {})
  expect([times(SIGN_IN), mine.session.me?.id]).toEqual([1, 'wang'])
})

test('a WeChat account that is no longer bound is signed out, and what waits stays', async () => {
  office.orders.set(REFRESH, 401)
  office.code = 'refresh_expired'
  office.answers.set(SIGN_IN, { state: 'to_bind', ticket: 't', tokens: null, me: null, zone: null })
  await mine.platform.entries.add({ ...draft('a', '/a'), id: '1', owner: 'wang', made_at: '', state: 'waiting' })
  await expect(mine.client.get('/api/mini/inbox', {})).rejects.toBeInstanceOf(SignedOut)
  expect(mine.session.me).toBeNull()
  expect(await mine.platform.entries.all()).toHaveLength(1)
})

test('a server that is ill ends no sign-in', async () => {
  office.orders.set(REFRESH, 503)
  await expect(mine.client.get('/api/mini/inbox', {})).rejects.toMatchObject({ status: 503 })
  expect(mine.session.me?.id).toBe('wang')
})
