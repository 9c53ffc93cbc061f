/** The real phone: the calls of the WeChat client. */
import { Unreachable, type Choice, type Place, type Platform } from '../platform'
import { inTurn } from '../turns'

import { entries } from './entries'
import { chooseDocuments, choosePhotos, files, handOver } from './files'
import { notes } from './notes'
import { download, request, upload, uploadPart } from './requesting'

function login(): Promise<string> {
  return new Promise((resolve, reject) => {
    uni.login({ provider: 'weixin', success: ({ code }) => resolve(code), fail: () => reject(new Unreachable()) })
  })
}

async function phoneCode(event: unknown): Promise<string | null> {
  return (event as { detail?: { code?: string } }).detail?.code ?? null
}

function requestSubscribeMessage(tmplIds: string[]): Promise<Record<string, Choice>> {
  return new Promise((resolve) => {
    uni.requestSubscribeMessage({
      tmplIds,
      success: (answer) => resolve(choices(tmplIds, answer as unknown as Record<string, string>)),
      fail: () => resolve({}), // the main switch is off, or the person closed the sheet: nobody consented
    })
  })
}

function choices(templateIds: string[], answer: Record<string, string>): Record<string, Choice> {
  return Object.fromEntries(templateIds.map((id) => [id, (answer[id] ?? 'filter') as Choice]))
}

function getPlace(): Promise<Place | null> {
  return new Promise((resolve) => {
    uni.getLocation({
      type: 'wgs84',
      success: ({ latitude, longitude, accuracy }) => resolve({ latitude, longitude, accuracy }),
      fail: () => resolve(null),
    })
  })
}

function scan(): Promise<string | null> {
  return new Promise((resolve) => {
    uni.scanCode({ success: ({ path, result }) => resolve(path ?? result), fail: () => resolve(null) })
  })
}

/** Not a secret: a key of idempotency is looked up together with the person. The client has no synchronous source. */
function newId(): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(Math.random() * 16)
    return (place === 'x' ? digit : (digit & 3) | 8).toString(16)
  })
}

export const platform: Platform = {
  apiOrigin: import.meta.env.VITE_API_ORIGIN ?? '',
  request,
  upload,
  uploadPart,
  download,
  login,
  phoneCode,
  requestSubscribeMessage,
  choosePhotos,
  chooseDocuments,
  getPlace,
  handOver,
  scan,
  files,
  notes,
  entries,
  online: async () => (await uni.getNetworkType()).networkType !== 'none',
  watchNetwork: (changed) => uni.onNetworkStatusChange(({ isConnected }) => changed(isConnected)),
  alone: inTurn,
  newId,
}
