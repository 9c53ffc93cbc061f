/** Files chosen on this phone, until they are submitted or the page is left. */
import { onUnmounted, ref, shallowRef } from 'vue'

import { platform } from '#platform'

import type { KeptFile } from '@/platform/platform'
import { isKept } from '@/showing/keeping'

import { sizeWords } from './pieces'

export interface Chosen {
  file: KeptFile
  /** Where the interface shows a photo; empty for a document. */
  address: string
  /** ISO 8601, where the camera took it just now. */
  captured_at: string | null
}

const MEGABYTE = 2 ** 20
/** As the server's bounds. */
const LARGEST = { photo: 20 * MEGABYTE, document: 50 * MEGABYTE }
const EXTENSIONS = ['pdf', 'docx', 'xlsx']
export const MOST = 9

/** `handing`: whether they are being handed to the queue at the moment, which must find them. */
export function useChosen(handing: () => boolean) {
  const chosen = shallowRef<Chosen[]>([])
  const choosing = ref(false)

  async function choose(from: 'camera' | 'album' | 'documents') {
    choosing.value = true
    await isKept(take(from))
    choosing.value = false
  }

  async function take(from: 'camera' | 'album' | 'documents') {
    const room = MOST - chosen.value.length
    const files =
      from === 'documents' ? await platform.chooseDocuments(room, EXTENSIONS) : await platform.choosePhotos(room, from)
    const captured_at = from === 'camera' ? new Date().toISOString() : null
    const shown = files.map(async (file) => ({ file, captured_at, address: from === 'documents' ? '' : await platform.files.show(file) }))
    chosen.value = [...chosen.value, ...(await Promise.all(shown))]
  }

  /** Out of the list: into the queue, or (`drop`) off this phone. */
  async function leave(one: Chosen, drop = false) {
    chosen.value = chosen.value.filter((other) => other !== one)
    // #ifdef H5
    if (one.address) URL.revokeObjectURL(one.address)
    // #endif
    if (drop) await platform.files.drop(one.file)
  }

  onUnmounted(() => handing() || chosen.value.forEach((one) => void leave(one, true)))
  return { chosen, choosing, choose, leave }
}

/** Why this file would not be taken, with what to do; empty where it would. */
export function tooLarge({ file }: Chosen, kind: 'photo' | 'document'): string {
  if (file.size <= LARGEST[kind]) return ''
  const advice = kind === 'photo' ? '可以选“压缩后传”，或改用文字说明。' : '请精简后再选，或登记纸质材料编号。'
  return `“${file.name}”有 ${sizeWords(file.size)}，超过 ${LARGEST[kind] / MEGABYTE} MB，没有提交。${advice}`
}
