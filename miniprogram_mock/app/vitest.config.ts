import { resolve } from 'node:path'

import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { alias: { '@': resolve('src'), '#platform': resolve('src/platform/h5') } },
  test: { include: ['tests/**/*.test.ts'] },
})
