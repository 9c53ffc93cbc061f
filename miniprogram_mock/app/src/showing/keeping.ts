import { sentence } from '@/api/problems'

/** Whether a write is kept on this phone now; where it is not, the person is told why. */
export async function isKept(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (failure) {
    void uni.showModal({ title: '没有保存', content: sentence(failure), showCancel: false })
    return false
  }
}

/** Back to the page that led here, or to `otherwise` where a message led here. */
export function goBack(otherwise: string): void {
  if (getCurrentPages().length > 1) void uni.navigateBack()
  else void uni.redirectTo({ url: otherwise })
}
