import { onHide, onUnload } from '@dcloudio/uni-app'
import { ref, type Ref, watch } from 'vue'

import { platform } from '#platform'

import { sentence } from '@/api/problems'
import { session } from '@/phone'

const PAUSE_MS = 300

/** The name under which the signed-in person's draft lies: nobody else who signs in on this phone finds it. */
const placeOf = (name: string) => `draft:${session.me?.id}:${name}`

/** Whether a draft lies there. */
export const hasKept = (name: string) => platform.notes.get(placeOf(name)) !== null

/**
 * What somebody is filling in, kept on this phone until it is handed over: it outlives a restart and a sign-out.
 *
 * `open` takes up what was kept (null: nothing); `fault` says that the phone has no room, while what was entered stays
 * on the page.
 */
export function useKept<T extends object>(name: () => string) {
  const draft = ref(null) as Ref<T | null>
  const fault = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined

  function open(): void {
    const text = platform.notes.get(placeOf(name()))
    draft.value = text ? (JSON.parse(text) as T) : null
  }

  function keep(): void {
    clearTimeout(timer)
    timer = undefined
    if (!draft.value) return
    try {
      platform.notes.set(placeOf(name()), JSON.stringify(draft.value))
      fault.value = ''
    } catch (full) {
      fault.value = sentence(full)
    }
  }

  function drop(): void {
    draft.value = null
    platform.notes.remove(placeOf(name()))
  }

  const keepSoon = () => {
    clearTimeout(timer)
    timer = setTimeout(keep, PAUSE_MS)
  }
  const keepNow = () => timer && keep()

  watch(draft, keepSoon, { deep: true })
  onHide(keepNow)
  onUnload(keepNow)
  return { draft, fault, open, keep, drop }
}
