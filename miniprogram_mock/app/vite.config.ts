import { resolve } from 'node:path'

import uni from '@dcloudio/vite-plugin-uni'
import { defineConfig } from 'vite'

import { offlineShell } from './build/offline_shell'
import { ownFilesOnly } from './build/own_files_only'

const platform = process.env.UNI_PLATFORM === 'mp-weixin' ? 'wechat' : 'h5'

export default defineConfig({
  base: './',
  plugins: [uni(), ownFilesOnly({ inlined: platform === 'wechat' }), ...(platform === 'h5' ? [offlineShell()] : [])],
  resolve: {
    alias: { '@': resolve('src'), '#platform': resolve('src/platform', platform) },
  },
})
