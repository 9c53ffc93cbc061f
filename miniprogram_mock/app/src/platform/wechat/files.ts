/** Files chosen lie in a temporary folder; what waits to be sent is saved beside the mini-program's own data. */
import { StorageFull, type KeptFile, type Platform } from '../platform'

async function keep(path: string, name: string, size: number): Promise<KeptFile> {
  try {
    const { savedFilePath } = await uni.saveFile({ tempFilePath: path })
    return { reference: savedFilePath, name, size }
  } catch {
    throw new StorageFull()
  }
}

/** What `choose` found; nothing where the person closed the chooser, which WeChat tells as a failure. */
async function chosen<T>(choose: Promise<{ tempFiles: T[] }>): Promise<T[]> {
  try {
    return (await choose).tempFiles
  } catch {
    return []
  }
}

export const choosePhotos: Platform['choosePhotos'] = async (most, from) => {
  const choose = uni.chooseMedia({ count: most, mediaType: ['image'], sourceType: [from] })
  const photos = await chosen(choose as unknown as Promise<UniApp.ChooseMediaSuccessCallbackResult>)
  return Promise.all(photos.map((one) => keep(one.tempFilePath, nameOf(one.tempFilePath), one.size)))
}

export const chooseDocuments: Platform['chooseDocuments'] = async (most, extensions) => {
  const documents = await chosen(wx.chooseMessageFile({ count: most, type: 'file', extension: extensions }))
  return Promise.all(documents.map((one) => keep(one.path, one.name, one.size)))
}

/** WeChat shares files only out of the mini-program's own folder; closing the list of chats counts as handed over. */
export const handOver: Platform['handOver'] = async (name, text) => {
  const filePath = `${wx.env.USER_DATA_PATH}/${name}`
  await new Promise<void>((resolve, reject) => {
    const fail = () => reject(new StorageFull())
    uni.getFileSystemManager().writeFile({ filePath, data: text, encoding: 'utf8', success: () => resolve(), fail })
  })
  await wx.shareFileMessage({ filePath, fileName: name }).catch(() => undefined)
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)

export const files: Platform['files'] = {
  show: async (file) => file.reference,
  bytes: (file) =>
    new Promise((resolve, reject) => {
      const success = (read: { data: string | ArrayBuffer }) => resolve(read.data as ArrayBuffer)
      uni.getFileSystemManager().readFile({ filePath: file.reference, success, fail: reject })
    }),
  drop: async (file) => void (await uni.removeSavedFile({ filePath: file.reference })),
}
