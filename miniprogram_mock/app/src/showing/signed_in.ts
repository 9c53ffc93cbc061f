import { onShow } from '@dcloudio/uni-app'

import { session } from '@/phone'

export function toSignIn(): void {
  void uni.reLaunch({ url: '/pages/sign_in/sign_in' })
}

/** A page for whoever is signed in: others are led to the sign-in page. `shown` runs each time the page is shown. */
export function useSignedIn(shown: () => void): void {
  onShow(() => {
    if (session.me) shown()
    else toSignIn()
  })
}
