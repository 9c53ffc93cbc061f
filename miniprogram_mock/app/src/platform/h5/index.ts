/** The phone in a browser. */
import type { KeptFile, Place, Platform } from '../platform'
import { StorageFull } from '../platform'

import { entriesOf } from './entries'
import { contentOf, filesOf, keep } from './files'
import { download, request, upload } from './requesting'
import * as wechat from './wechat_client'
import { chosenPhone } from './which_phone'

const PATIENCE_MS = 10_000
const phone = () => chosenPhone() ?? 'nobody'
const named = (name: string) => `zhuoluo-${phone()}-${name}`

function chooseFiles(accept: string, most: number, capture = false): Promise<KeptFile[]> {
  return new Promise((resolve, reject) => {
    const input = Object.assign(document.createElement('input'), { type: 'file', accept, multiple: most > 1 })
    if (capture) input.setAttribute('capture', 'environment')
    input.oncancel = () => resolve([])
    input.onchange = () => {
      const chosen = [...(input.files ?? [])].slice(0, most)
      Promise.all(chosen.map((file) => keep(phone(), file))).then(resolve, reject)
    }
    input.click()
  })
}

function getPlace(): Promise<Place | null> {
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude, accuracy } }) => resolve({ latitude, longitude, accuracy }),
      () => resolve(null),
      { timeout: PATIENCE_MS },
    )
  })
}

export const platform: Platform = {
  apiOrigin: '',
  request: (asked) => request(asked),
  upload: async (asked, file, progressed = () => undefined) => {
    const headers = { ...asked.headers, 'content-type': 'application/octet-stream' }
    return upload({ ...asked, headers }, await contentOf(phone(), file), progressed)
  },
  uploadPart: async (asked, file, from, to, progressed = () => undefined) =>
    upload(asked, (await contentOf(phone(), file)).slice(from, to), progressed),
  download,
  login: wechat.login,
  phoneCode: wechat.phoneCode,
  requestSubscribeMessage: wechat.requestSubscribeMessage,
  choosePhotos: (most, from) => chooseFiles('image/*', most, from === 'camera'),
  chooseDocuments: (most, extensions) => chooseFiles(extensions.map((one) => `.${one}`).join(), most),
  getPlace,
  async handOver(name, text) {
    const href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
    Object.assign(document.createElement('a'), { href, download: name }).click()
  },
  scan: async () => prompt('站点码的内容'),
  files: filesOf(phone),
  notes: {
    get: (name) => localStorage.getItem(named(name)),
    set(name, value) {
      try {
        localStorage.setItem(named(name), value)
      } catch {
        throw new StorageFull()
      }
    },
    remove: (name) => localStorage.removeItem(named(name)),
  },
  entries: entriesOf(phone),
  online: async () => navigator.onLine,
  watchNetwork(changed) {
    addEventListener('online', () => changed(true))
    addEventListener('offline', () => changed(false))
  },
  alone: (name, task) => navigator.locks.request(named(name), task) as ReturnType<typeof task>,
  newId: () => crypto.randomUUID(),
}
