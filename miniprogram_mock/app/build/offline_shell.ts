/** A phone has the mini-program in its memory; a browser gets a service worker that keeps the build, by content. */
import { createHash } from 'node:crypto'

import type { Plugin } from 'vite'

export function offlineShell(): Plugin {
  return {
    name: 'offline-shell',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.keys(bundle).filter((name) => name !== 'index.html').sort()
        const version = createHash('sha256')
        for (const file of Object.values(bundle)) version.update(file.type === 'asset' ? file.source : file.code)
        const kept = JSON.stringify(['./', 'config.json', ...files])
        this.emitFile({ type: 'asset', fileName: 'offline.js', source: worker(version.digest('hex').slice(0, 16), kept) })
      },
    },
  }
}

/** Names of files tell their content, so those are answered from what is kept; the page and its settings from the
 * server while it can be reached. A new build takes over once no page of the old one is open. */
function worker(version: string, kept: string): string {
  return `const NAME = 'zhuoluo-${version}'
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(${kept})))
})
self.addEventListener('activate', (event) => {
  const older = (names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)))
  event.waitUntil(caches.keys().then(older).then(() => self.clients.claim()))
})
const keptCopy = (request) => caches.match(request, { ignoreSearch: true })
self.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request
  const asked = new URL(url)
  if (method !== 'GET' || asked.origin !== location.origin || !asked.pathname.startsWith('/phone/')) return
  const changing = mode === 'navigate' || asked.pathname.endsWith('/config.json')
  event.respondWith(
    changing
      ? fetch(event.request).catch(() => keptCopy(event.request))
      : keptCopy(event.request).then((found) => found || fetch(event.request))
  )
})
`
}
