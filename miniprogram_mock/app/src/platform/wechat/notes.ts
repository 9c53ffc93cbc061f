import { StorageFull, type Notes } from '../platform'

export const notes: Notes = {
  get: (name) => uni.getStorageSync(name) || null,
  set(name, value) {
    try {
      uni.setStorageSync(name, value)
    } catch {
      throw new StorageFull()
    }
  },
  remove: (name) => uni.removeStorageSync(name),
}
