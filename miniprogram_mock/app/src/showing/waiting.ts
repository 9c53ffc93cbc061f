import { onUnmounted, ref, type Ref, shallowRef, watch } from 'vue'

import { platform } from '#platform'

import { queue } from '@/phone'
import type { Entry } from '@/queue/entries'

/** The person's entries that wait on this phone, kept current while the component lives. */
export function useWaiting() {
  const entries = shallowRef<Entry[]>([])
  onUnmounted(queue.watch((found) => (entries.value = found)))
  return entries
}

/** What part of an entry's file has left this phone, from 0 to 1. */
export function useProgress(id: () => string) {
  const part = ref(0)
  onUnmounted(queue.onProgress((entry, done) => entry.id === id() && (part.value = done)))
  return part
}

const MOMENT_MS = 3000

/** Whether something waits for longer than a moment: what is sent at once should move nothing under the finger. */
export function useLingering(waiting: Ref<number>) {
  const lingering = ref(false)
  let timer: ReturnType<typeof setTimeout>
  watch(waiting, (count) => {
    clearTimeout(timer)
    if (count === 0) lingering.value = false
    else timer = setTimeout(() => (lingering.value = true), MOMENT_MS)
  })
  onUnmounted(() => clearTimeout(timer))
  return lingering
}

/** Whether there is a network, by what the phone believes. */
export const online = ref(true)
void platform.online().then((now) => (online.value = now))
platform.watchNetwork((now) => (online.value = now))
