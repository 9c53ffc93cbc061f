/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Where the real mini-program finds the API, `https://…`; the browser build uses its own origin. */
  readonly VITE_API_ORIGIN?: string
}

declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<object, object, unknown>
  export default component
}

/** What uni-app has no name for. */
declare const wx: {
  env: { USER_DATA_PATH: string }
  shareFileMessage(asked: { filePath: string; fileName: string }): Promise<unknown>
  chooseMessageFile(asked: { count: number; type: 'file'; extension: string[] }): Promise<{
    tempFiles: { path: string; name: string; size: number }[]
  }>
}
