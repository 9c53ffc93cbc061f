import { Unreachable, type Answered, type Platform } from '../platform'

const PATIENCE_MS = 60_000

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
export const upload: Platform['upload'] = (asked, file) =>
  new Promise((resolve, reject) => {
    uni.uploadFile({
      url: asked.url,
      header: asked.headers,
      filePath: file.reference,
      name: 'file',
      timeout: PATIENCE_MS,
      success: ({ statusCode, data }) => resolve(answered(statusCode, data)),
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
