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
