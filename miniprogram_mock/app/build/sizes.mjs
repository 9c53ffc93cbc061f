// How much a browser loads before the inbox is drawn, as vite lists it: `node build/sizes.mjs`.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const ROOT = new URL('../dist/build/h5', import.meta.url).pathname
const MOST_KIB = 150

const page = readFileSync(join(ROOT, 'index.html'), 'utf8')
const started = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, file]) => file)
const main = readFileSync(join(ROOT, started.find((file) => file.endsWith('.js'))), 'utf8')
const listed = JSON.parse(/viteFileDeps = (\[.*?\])/.exec(main)[1])
const numbers = /import\("\.\/pages-reminders-inbox[^"]*"\),__vite__mapDeps\((\[[\d,]*\])\)/.exec(main)[1]
const first = new Set([...started, ...JSON.parse(numbers).map((number) => listed[number].replace('./', 'assets/'))])

const kib = [...first].reduce((bytes, file) => bytes + gzipSync(readFileSync(join(ROOT, file))).length, 0) / 1024
console.log(`h5: ${first.size} files, ${kib.toFixed(0)} KiB gz until the inbox is drawn`)
if (kib > MOST_KIB) {
  console.error(`that is more than ${MOST_KIB} KiB`)
  process.exit(1)
}
