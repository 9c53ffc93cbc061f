// Checks the build that a zone uploads to WeChat: `node build/check_mp.mjs`. Prints sizes; says all that is wrong.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { Script } from 'node:vm'

const ROOT = new URL('../dist/build/mp-weixin', import.meta.url).pathname
const MOST_BYTES = 2 * 1024 * 1024 // WeChat's bound for the main package
// Namespaces, and the addresses that error messages of Vue name; none is ever asked for.
const HARMLESS = /^https?:\/\/(www\.w3\.org|vuejs\.org\/error-reference)\//
const ADDRESS = /https?:\/\/[\w.-]+[\w/.-]*/g

const files = readdirSync(ROOT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
const app = JSON.parse(readFileSync(join(ROOT, 'app.json'), 'utf8'))
const own = new URL(process.env.VITE_API_ORIGIN || 'http://none.invalid').origin
const wrong = []

for (const page of app.pages) {
  for (const kind of ['js', 'json', 'wxml']) {
    if (!files.includes(join(ROOT, `${page}.${kind}`))) wrong.push(`${page}.${kind} is missing`)
  }
}
for (const file of files) {
  const name = relative(ROOT, file)
  const text = readFileSync(file, 'utf8')
  if (extname(file) === '.js') parses(name, text)
  for (const address of text.match(ADDRESS) ?? []) {
    if (!HARMLESS.test(address) && !address.startsWith(own)) wrong.push(`${name} names a foreign host: ${address}`)
  }
}
function parses(name, text) {
  try {
    new Script(text, { filename: name })
  } catch (fault) {
    wrong.push(`${name} does not parse: ${fault.message}`)
  }
}
if (!app.__usePrivacyCheck__) wrong.push('app.json does not ask WeChat to check privacy (__usePrivacyCheck__)')
if (!app.requiredPrivateInfos?.includes('getLocation')) wrong.push('app.json does not declare getLocation')
if (!app.permission?.['scope.userLocation']?.desc) wrong.push('app.json does not say what a location is for')
const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
if (bytes > MOST_BYTES) wrong.push(`the main package has ${bytes} bytes, more than ${MOST_BYTES}`)

console.log(`mp-weixin: ${app.pages.length} pages, ${files.length} files, ${(bytes / 1024).toFixed(0)} KiB`)
for (const fault of wrong) console.error(fault)
process.exit(wrong.length ? 1 : 0)
