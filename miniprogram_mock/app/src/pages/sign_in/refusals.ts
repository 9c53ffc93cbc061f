/** Why somebody cannot sign in, and what they can do; by the API's stable codes. */
import { Problem, sentence } from '@/api/problems'
import { Unreachable } from '@/platform/platform'

export interface Refusal {
  title: string
  detail: string
  /** What to do about it, step by step. */
  steps: string[]
}

const ASK_ADMIN = '把本页给本单位管理员看，由管理员核对'
const REFUSALS: Record<string, Omit<Refusal, 'detail'>> = {
  not_in_roster: {
    title: '名册中没有这个手机号',
    steps: ['换过手机号的，请管理员在名册中更新', '新到任的，请管理员先把您加入名册', '更新后回到这里再试'],
  },
  left_office: { title: '名册显示您已离任', steps: [`如果不对：${ASK_ADMIN}任职情况`] },
  person_bound_elsewhere: {
    title: '您已绑定另一个微信',
    steps: ['还在用原来的微信：请用原来的微信打开', '换了微信：请管理员解除原绑定，再回到这里'],
  },
  openid_bound_elsewhere: {
    title: '这个微信绑定了另一位人员',
    steps: ['请用您本人的微信打开', `如果绑定有误：${ASK_ADMIN}并解除`],
  },
  wechat_code_invalid: { title: '微信凭证已失效', steps: ['点“重新登录”即可，不用重新填写'] },
  ticket_expired: { title: '停留时间过长', steps: ['点“重新登录”即可，不用重新填写'] },
  ticket_invalid: { title: '登录需要重新开始', steps: ['点“重新登录”即可，不用重新填写'] },
}

/** The person closed WeChat's question about their number. */
export const DECLINED: Refusal = {
  title: '没有拿到手机号',
  detail: '您没有授权手机号，所以还不能和名册核对。没有保存任何信息。',
  steps: ['手机号只用来和名册核对，不作他用', '不方便授权的，请联系本单位管理员'],
}

export function refusalOf(fault: unknown): Refusal {
  const known = fault instanceof Problem ? REFUSALS[fault.code] : undefined
  if (known) return { ...known, detail: sentence(fault) }
  const title = fault instanceof Unreachable ? '现在连不上网络' : '暂时没有登录成功'
  return { title, detail: sentence(fault), steps: ['请稍后再试', '多次不成功，请联系本单位管理员'] }
}
