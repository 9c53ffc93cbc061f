import { ref } from 'vue'

import { platform } from '#platform'

const NAME = 'text_size'

/** Whether the person wants larger text; every page follows. */
export const largeText = ref(platform.notes.get(NAME) === 'large')

export function setLargeText(large: boolean): void {
  largeText.value = large
  platform.notes.set(NAME, large ? 'large' : 'standard')
}
