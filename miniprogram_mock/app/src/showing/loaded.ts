import { ref, shallowRef } from 'vue'

import { sentence, SignedOut } from '@/api/problems'

import { recall, remember } from './remembered'
import { toSignIn } from './signed_in'

/**
 * What a page reads: at once what was seen last under `name`, then what the server says now.
 *
 * `fault` is a sentence for the person, `since` the instant (ISO 8601) of what is shown where it is not fresh.
 */
export function useLoaded<T>(name: () => string, load: () => Promise<T>) {
  const content = shallowRef<T | null>(null)
  const since = ref<string | null>(null)
  const fault = ref('')
  const loading = ref(false)

  async function refresh(): Promise<void> {
    const asked = name()
    showLast(asked)
    loading.value = true
    try {
      const found = await load()
      if (asked !== name()) return // the page shows something else by now
      content.value = found
      since.value = null
      fault.value = ''
      remember(asked, content.value)
    } catch (failure) {
      if (failure instanceof SignedOut) return toSignIn()
      fault.value = sentence(failure)
    } finally {
      loading.value = false
    }
  }

  function showLast(asked: string): void {
    const seen = content.value === null ? recall<T>(asked) : null
    if (seen) [content.value, since.value] = [seen.content, seen.at]
  }

  return { content, since, fault, loading, refresh }
}
