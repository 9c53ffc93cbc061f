/** What is built asks no foreign host: fonts that libraries load from CDNs are packed, addresses of telemetry emptied. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import type { Plugin } from 'vite'

const ICONS = 'wot-design-uni/components/wd-icon/wd-icons.ttf'
const FONT_FACE = /@font-face\s*\{[^}]*\}/g
const SOURCES = /src:([^;}]*)/g
const FOREIGN = /url\(\s*["']?(?:https?:)?\/\/[^)]*\)/g
const TELEMETRY = /https:\/\/[\w.]+\.dcloud\.net\.cn\/[\w/.-]*/g

/** `inlined`: as in WXSS, which takes no local font file. */
export function ownFilesOnly({ inlined }: { inlined: boolean }): Plugin {
  return {
    name: 'own-files-only',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = file.code.replace(TELEMETRY, '')
        else if (/\.(css|wxss)$/.test(file.fileName)) file.source = packed(String(file.source), inlined)
      }
    },
  }
}

function packed(css: string, inlined: boolean): string {
  return css.replace(FONT_FACE, (face) => ownFace(face, inlined)).replace(FOREIGN, 'none')
}

function ownFace(face: string, inlined: boolean): string {
  if (inlined && face.includes('wd-icons')) return iconFont()
  const own = (list: string) => list.split(',').filter((source) => !/\/\//.test(source)).join(',')
  const kept = face.replace(SOURCES, (_, list: string) => (own(list) ? `src:${own(list)}` : ''))
  return kept.includes('src:') ? kept : ''
}

function iconFont(): string {
  const font = readFileSync(createRequire(import.meta.url).resolve(ICONS)).toString('base64')
  return `@font-face{font-family:wd-icons;src:url(data:font/ttf;base64,${font}) format("truetype")}`
}
