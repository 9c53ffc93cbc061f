/** The storage of the WeChat client, with its bounds: 1 MB a key, 10 MB in all; what is over them throws. */
const MEGABYTE = 2 ** 20

export function installStorage(): Map<string, string> {
  const kept = new Map<string, string>()
  const total = () => [...kept.values()].reduce((sum, value) => sum + value.length, 0)
  Object.assign(globalThis, {
    uni: {
      getStorageSync: (key: string) => kept.get(key) ?? '',
      setStorageSync(key: string, value: string) {
        const over = value.length > MEGABYTE || total() - (kept.get(key)?.length ?? 0) + value.length > 10 * MEGABYTE
        if (over) throw new Error('setStorageSync:fail exceed storage max size')
        kept.set(key, value)
      },
      removeStorageSync: (key: string) => void kept.delete(key),
      getStorageInfoSync: () => ({ keys: [...kept.keys()] }),
    },
  })
  return kept
}

/** `wx.uploadFile` over real HTTP, as the client does it: one form with the file, progress in whole percent. */
export function installUploads(files: Map<string, Uint8Array>): void {
  const uploadFile = (asked: UniApp.UploadFileOption) => {
    let progressed: (update: { progress: number }) => void = () => undefined
    const content = files.get(asked.filePath!)
    const form = new FormData()
    if (content) form.append(asked.name!, new Blob([content]), 'photo.jpg')
    const sending = content
      ? fetch(asked.url, { method: 'POST', headers: asked.header, body: form })
      : Promise.reject(new Error('uploadFile:fail file not found'))
    void sending
      .then(async (answer) => {
        progressed({ progress: 100 })
        asked.success?.({ statusCode: answer.status, data: await answer.text() } as UniApp.UploadFileSuccessCallbackResult)
      })
      .catch(() => asked.fail?.({ errMsg: 'uploadFile:fail' }))
      .finally(() => asked.complete?.({ errMsg: '' }))
    return { abort: () => undefined, onProgressUpdate: (listener: typeof progressed) => (progressed = listener) }
  }
  const getFileInfo = ({ filePath, success, fail }: UniApp.GetFileInfoOptions) =>
    files.has(filePath) ? success?.({ size: files.get(filePath)!.length, digest: '', errMsg: '' }) : fail?.({})
  Object.assign(globalThis, { uni: { ...(globalThis as { uni?: object }).uni, uploadFile, getFileInfo } })
}

/** `wx.request` with bytes, by WeChat's own methods only, and `readFile` of a part of a file. */
export function installParts(files: Map<string, Uint8Array>): void {
  const request = (asked: UniApp.RequestOptions) => {
    const options = { method: asked.method, headers: asked.header, body: asked.data as unknown as ArrayBuffer }
    void fetch(asked.url, options)
      .then(async (answer) => asked.success?.({ statusCode: answer.status, data: await answer.text() } as never))
      .catch(() => asked.fail?.({ errMsg: 'request:fail' }))
  }
  const readFile = ({ filePath, position, length, success, fail }: UniNamespace.ReadFileOption) => {
    const content = files.get(filePath)
    const part = content && new Uint8Array(content).slice(position, Number(position) + Number(length))
    return part ? success?.({ data: part.buffer, errMsg: '' } as never) : fail?.({ errCode: 1300002, errMsg: 'readFile:fail no such file' } as never)
  }
  const getFileInfo = ({ filePath, success, fail }: UniApp.GetFileInfoOptions) =>
    files.has(filePath) ? success?.({ size: files.get(filePath)!.length, digest: '', errMsg: '' }) : fail?.({})
  const getFileSystemManager = () => ({ readFile })
  Object.assign(globalThis, { uni: { request, getFileInfo, getFileSystemManager } })
}
