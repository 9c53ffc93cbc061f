import { FileGone, type KeptFile, Unreachable, type Answered, type Platform } from '../platform'
import { whileMoving } from '../stalling'

const PATIENCE_MS = 60_000
const LONGEST_TRANSFER_MS = 15 * 60_000

export const request: Platform['request'] = (asked) =>
  new Promise((resolve, reject) => {
    // WeChat's own list of methods has no PATCH; the platform takes it all the same.
    const method = asked.method as UniApp.RequestOptions['method']
    uni.request({
      url: asked.url,
      method,
      header: asked.headers,
      data: asked.body,
      dataType: 'text',
      timeout: PATIENCE_MS,
      success: ({ statusCode, data }) => resolve(answered(statusCode, data)),
      fail: () => reject(new Unreachable()),
    })
  })

/** WeChat sends files as multipart forms only, and by POST. */
export const upload: Platform['upload'] = (asked, file, progressed = () => undefined) =>
  new Promise((resolve, reject) => {
    const task = uni.uploadFile({
      url: asked.url,
      header: asked.headers,
      filePath: file.reference,
      name: 'file',
      timeout: LONGEST_TRANSFER_MS,
      success: ({ statusCode, data }) => resolve(answered(statusCode, data)),
      fail: () => whetherThere(file, reject),
      complete: () => patience.over(),
    })
    const patience = whileMoving(() => task.abort())
    task.onProgressUpdate(({ progress }) => {
      patience.moved()
      progressed(progress / 100)
    })
  })

/** WeChat's own list of methods has no PATCH; tus names it in a header. */
export const uploadPart: Platform['uploadPart'] = async (asked, file, from, to, progressed = () => undefined) => {
  const data = await bytesOf(file, from, to)
  const override: Record<string, string> = asked.method === 'PATCH' ? { 'x-http-method-override': 'PATCH' } : {}
  return new Promise((resolve, reject) => {
    uni.request({
      url: asked.url,
      method: 'POST',
      header: { ...asked.headers, ...override },
      data,
      dataType: 'text',
      timeout: LONGEST_TRANSFER_MS,
      success({ statusCode, data }) {
        progressed(1)
        resolve(answered(statusCode, data))
      },
      fail: () => reject(new Unreachable()),
    })
  })
}

function bytesOf(file: KeptFile, from: number, to: number): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    uni.getFileSystemManager().readFile({
      filePath: file.reference,
      position: from,
      length: to - from,
      success: ({ data }) => resolve(data as ArrayBuffer),
      fail: () => whetherThere(file, reject),
    })
  })
}

/** WeChat's failures have words only: one without the file is another than one without a network. */
function whetherThere({ reference: filePath }: KeptFile, reject: (failure: Error) => void): void {
  uni.getFileInfo({ filePath, success: () => reject(new Unreachable()), fail: () => reject(new FileGone()) })
}

export const download: Platform['download'] = ({ url, headers }) =>
  new Promise((resolve, reject) => {
    uni.downloadFile({
      url,
      header: headers,
      timeout: LONGEST_TRANSFER_MS,
      success: ({ statusCode, tempFilePath }) =>
        resolve({ status: statusCode, content: statusCode < 400 ? tempFilePath : undefined }),
      fail: () => reject(new Unreachable()),
    })
  })

function answered(status: number, data: unknown): Answered {
  const text = typeof data === 'string' ? data : ''
  try {
    return { status, content: text ? JSON.parse(text) : undefined }
  } catch {
    return { status, content: text }
  }
}
