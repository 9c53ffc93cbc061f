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

/** On a tap, with nothing awaited before it. WeChat shares files only out of the mini-program's own folder. */
export const handOver: Platform['handOver'] = async (name, text) => {
  const filePath = `${wx.env.USER_DATA_PATH}/${name}`
  try {
    uni.getFileSystemManager().writeFileSync(filePath, text, 'utf8')
  } catch {
    throw new StorageFull()
  }
  await wx.shareFileMessage({ filePath, fileName: name }).catch(unlessCancelled)
}

/** Whoever closes the list of chats has changed their mind, and nothing went wrong. */
function unlessCancelled(fault: { errMsg?: string }): void {
  if (!fault.errMsg?.includes('cancel')) throw fault
}

const QUALITY = 80
const LONGEST_SIDE = 2560

/** As the browser's half: what WeChat makes is a JPEG without what the camera noted of time and place. */
async function compressed(photo: KeptFile): Promise<KeptFile> {
  const { width, height } = await uni.getImageInfo({ src: photo.reference })
  const side = width > height ? 'compressedWidth' : 'compressedHeight'
  const bound = Math.max(width, height) > LONGEST_SIDE ? { [side]: LONGEST_SIDE } : {}
  const { tempFilePath } = await uni.compressImage({ src: photo.reference, quality: QUALITY, ...bound })
  const size = await sizeOf(tempFilePath)
  if (size >= photo.size) return photo
  const kept = await keep(tempFilePath, photo.name, size)
  await drop(photo)
  return kept
}

function sizeOf(filePath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    uni.getFileInfo({ filePath, success: ({ size }) => resolve(size), fail: reject })
  })
}

const drop = async (file: KeptFile) => void (await uni.removeSavedFile({ filePath: file.reference }))

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)

export const files: Platform['files'] = {
  async show(file) {
    await sizeOf(file.reference)
    return file.reference
  },
  bytes: (file) =>
    new Promise((resolve, reject) => {
      const success = (read: { data: string | ArrayBuffer }) => resolve(read.data as ArrayBuffer)
      uni.getFileSystemManager().readFile({ filePath: file.reference, success, fail: reject })
    }),
  drop,
  // what cannot be made smaller is sent as it is; a full phone is told
  compressed: (photo) =>
    compressed(photo).catch((failure) => {
      if (failure instanceof StorageFull) throw failure
      return photo
    }),
  open: async (filePath, fileType) =>
    void (await uni.openDocument({ filePath, fileType: fileType as 'pdf' | 'docx' | 'xlsx', showMenu: true })),
}
