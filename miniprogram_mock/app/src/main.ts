import { createSSRApp } from 'vue'

import App from './App.vue'
import './styles/page.scss'

export function createApp() {
  return { app: createSSRApp(App) }
}
