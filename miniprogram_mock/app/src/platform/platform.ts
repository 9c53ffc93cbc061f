/**
 * What the pages need of the phone that they run on. Two halves keep this promise: `wechat/` in the real mini-program,
 * `h5/` in a browser, where a mock platform plays WeChat. `#platform` is whichever half the build is for.
 */

export interface Asked {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute, or from the origin of the page. */
  url: string
  headers: Record<string, string>
  body?: string
}

export interface Answered {
  status: number
  /** Parsed where it is JSON, undefined where there is none. */
  content: unknown
}

/** Bytes that this phone keeps by itself until they are sent: `reference` outlives a restart. */
export interface KeptFile {
  reference: string
  name: string
  /** In bytes. */
  size: number
}

/** One fix, in WGS-84 degrees; `accuracy` in metres. */
export interface Place {
  latitude: number
  longitude: number
  accuracy: number
}

export type Choice = 'accept' | 'reject' | 'ban' | 'filter'

/** Small values by name, lost only with the app's data. */
export interface Notes {
  get(name: string): string | null
  /** Throws StorageFull. */
  set(name: string, value: string): void
  remove(name: string): void
}

export interface Platform {
  /** Before every path of the API; empty where the page comes from the API's own origin. */
  apiOrigin: string
  /** One request, at most a minute long. Rejects with Unreachable where no answer came. */
  request(asked: Asked): Promise<Answered>
  /**
   * As `request`, with a kept file as its body, for as long as bytes move. `progressed` hears what part has left.
   * Rejects with FileGone too.
   */
  upload(asked: Asked, file: KeptFile, progressed?: (part: number) => void): Promise<Answered>
  /** As `upload`, with the file's bytes from `from` up to `to`, and whatever method: PATCH where that is asked. */
  uploadPart(asked: Asked, file: KeptFile, from: number, to: number, progressed?: (part: number) => void): Promise<Answered>
  /** As `request`; what a success brings is kept for the moment, `content` is where the interface can show it. */
  download(asked: Asked): Promise<Answered>

  /** `wx.login`: a code that says which WeChat account this is. Rejects with Unreachable. */
  login(): Promise<string>
  /** The code for the phone's number, from the event of a `getPhoneNumber` button; null where the person said no. */
  phoneCode(event: unknown): Promise<string | null>
  /** `wx.requestSubscribeMessage`, on a tap only; what the person chose for each template. */
  requestSubscribeMessage(templateIds: string[]): Promise<Record<string, Choice>>
  /** Photos just taken or from the album, kept. Empty where the person chose none. Rejects with StorageFull. */
  choosePhotos(most: number, from: 'camera' | 'album'): Promise<KeptFile[]>
  /** Documents (WeChat: from a chat), kept. Empty where the person chose none. Rejects with StorageFull. */
  chooseDocuments(most: number, extensions: string[]): Promise<KeptFile[]>
  /** One fix; null where the person or the phone refuses, which never stops anybody. */
  getPlace(): Promise<Place | null>
  /** On a tap: give the person a text as a file, a download in a browser, a message to a chat of theirs in WeChat. */
  handOver(name: string, text: string): Promise<void>
  /** The text of a scanned code, null where there was none. */
  scan(): Promise<string | null>

  files: {
    /** Where the interface can show a kept file; rejects where it is gone. */
    show(file: KeptFile): Promise<string>
    bytes(file: KeptFile): Promise<ArrayBuffer>
    drop(file: KeptFile): Promise<void>
    /** A photo made smaller, kept in its place; the same where that saves nothing. Rejects with StorageFull. */
    compressed(photo: KeptFile): Promise<KeptFile>
    /** Hand a downloaded document to whatever reads its kind (`pdf`, `docx`, `xlsx`). */
    open(address: string, extension: string): Promise<void>
  }
  notes: Notes
  /** The queue's entries. */
  entries: import('@/queue/entries').EntryStore

  /** Whether the phone believes that it has a network. */
  online(): Promise<boolean>
  /** Told at every change of that. */
  watchNetwork(changed: (online: boolean) => void): void
  /** `task` by itself: another tab or page that asks for the same name waits its turn. */
  alone<T>(name: string, task: () => Promise<T>): Promise<T>
  /** A random UUID. */
  newId(): string
}

/** No answer came: no network, or a server that does not answer. What was asked may or may not have been done. */
export class Unreachable extends Error {
  constructor() {
    super('unreachable')
    this.name = 'Unreachable'
  }
}

/** The phone has no room left: nothing more was kept, and nothing kept earlier was lost. */
export class StorageFull extends Error {
  constructor() {
    super('storage full')
    this.name = 'StorageFull'
  }
}

/** A kept file is on this phone no more: the browser or the person cleared it. */
export class FileGone extends Error {
  constructor() {
    super('file gone')
    this.name = 'FileGone'
  }
}
