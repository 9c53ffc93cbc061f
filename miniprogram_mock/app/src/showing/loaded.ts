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
  let turns = 0

  /** Whether it answered, and nobody asked again meanwhile: an earlier answer that comes later is dropped. */
  async function refresh(): Promise<boolean> {
    const [asked, turn] = [name(), ++turns]
    showLast(asked)
    loading.value = true
    const found = await load().catch((failure) => failed(failure, turn))
    if (turn !== turns) return false
    loading.value = false
    if (found === null) return false
    content.value = found
    since.value = null
    fault.value = ''
    remember(asked, found)
    return true
  }

  function failed(failure: unknown, turn: number): null {
    if (failure instanceof SignedOut) toSignIn()
    else if (turn === turns) fault.value = sentence(failure)
    return null
  }

  function showLast(asked: string): void {
    const seen = content.value === null ? recall<T>(asked) : null
    if (seen) [content.value, since.value] = [seen.content, seen.at]
  }

  return { content, since, fault, loading, refresh }
}
