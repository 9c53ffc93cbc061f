/** The page itself without a network, as a mini-program starts from the phone's memory; see `build/offline_shell.ts`. */
export function keepOffline(): void {
  if ('serviceWorker' in navigator && import.meta.env.PROD) void navigator.serviceWorker.register('offline.js')
}
