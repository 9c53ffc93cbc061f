/** What the WeChat client does on a real phone, asked of the mock platform. */
import type { Choice } from '../platform'

import { request } from './requesting'
import { chosenPhone } from './which_phone'

export interface MockPhone {
  openid: string
  phone: string
  nickname: string
}

let origin: Promise<string> | null = null

async function ask<T>(method: 'GET' | 'POST', path: string, content?: unknown): Promise<T> {
  origin ??= told()
  const headers = { 'content-type': 'application/json' }
  const body = content === undefined ? undefined : JSON.stringify(content)
  const answer = await request({ method, url: (await origin) + path, headers, body })
  if (answer.status >= 400) throw new Error(`the mock platform answered ${answer.status} for ${path}`)
  return answer.content as T
}

async function told(): Promise<string> {
  try {
    const answer = await request({ method: 'GET', url: 'config.json', headers: {} })
    return (answer.content as { platform_origin: string }).platform_origin
  } catch (unreachable) {
    origin = null // ask again next time
    throw unreachable
  }
}

/** Phones that the platform knows, for choosing one. */
export async function knownPhones(): Promise<MockPhone[]> {
  return (await ask<{ phones: MockPhone[] }>('GET', '/_phone?limit=100')).phones
}

async function mine(action: string, content: unknown = {}): Promise<Record<string, unknown>> {
  const { openid } = await ask<MockPhone>('POST', '/_phone/register', { phone: chosenPhone() })
  return ask('POST', `/_phone/${openid}/${action}`, content)
}

export async function login(): Promise<string> {
  return (await mine('login')).code as string
}

export async function phoneCode(): Promise<string> {
  return (await mine('phone_code')).code as string
}

/** The sheet that WeChat shows is played by the browser's own question. */
export async function requestSubscribeMessage(templateIds: string[]): Promise<Record<string, Choice>> {
  const choice = confirm('“着落”想给您发送一条服务通知') ? 'accept' : 'reject'
  const answer = await mine('subscribe', { template_ids: templateIds, choice })
  return Object.fromEntries(templateIds.map((id) => [id, (answer[id] ?? 'filter') as Choice]))
}
