// Sends a file with the tus project's own client: `node tus_client.mjs <request as JSON>`. Prints what becomes of it, a
// JSON value a line: {offset} after each part, {url} and {done: true}, or {status, code} of a refusal.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { Upload } = createRequire(new URL('../../miniprogram_mock/app/package.json', import.meta.url))('tus-js-client')
const asked = JSON.parse(process.argv[2])
const say = (said) => process.stdout.write(JSON.stringify(said) + '\n')

const upload = new Upload(readFileSync(asked.file), {
  endpoint: asked.endpoint,
  headers: asked.headers,
  metadata: asked.metadata,
  chunkSize: asked.chunkSize ?? Infinity,
  overridePatchMethod: asked.overridePatchMethod ?? false,
  uploadDataDuringCreation: asked.uploadDataDuringCreation ?? false,
  retryDelays: Array(asked.retries ?? 0).fill(200),
  onUploadUrlAvailable: () => say({ url: upload.url }),
  onChunkComplete: (_, offset) => say({ offset }),
  onSuccess: () => say({ url: upload.url, done: true }),
  onError: (fault) => {
    const answer = fault.originalResponse
    say({ status: answer?.getStatus() ?? 0, code: answer?.getBody() ? JSON.parse(answer.getBody()).code : fault.message })
    process.exitCode = 1
  },
})
upload.start()
