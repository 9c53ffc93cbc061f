/** What look-backs are called, in the office's own words. */
import type { Schemas } from '@/api/contract'

export const VERDICTS: readonly { value: Schemas['Verdict']; label: string }[] = [
  { value: 'effective', label: '整改到位' },
  { value: 'mostly_effective', label: '基本到位' },
  { value: 'ineffective', label: '未到位' },
  { value: 'relapse', label: '反弹' },
]

export const FINDINGS: readonly { value: Schemas['Finding']; label: string }[] = [
  { value: 'met', label: '到位' },
  { value: 'partly', label: '部分到位' },
  { value: 'unmet', label: '不到位' },
  { value: 'not_checked', label: '未核查' },
]

export const EFFECTS: Record<Schemas['Effect'], string> = {
  confirmed: '销号得到确认。',
  follow_up: '后续要做的事已作为一件小任务交给责任人。',
  sent_back: '事项已退回责任人，按新的期限重新办理。',
  reopened: '事项已重新交办，开始新一轮办理。',
  none: '事项没有变动。',
}

/** What happens once the record has arrived. */
export const FOLLOWS: Record<Schemas['Verdict'], string> = {
  effective: '',
  mostly_effective: '记录送到后，后续要做的事会作为一件小任务交给责任人，只交一次。',
  ineffective: '记录送到后，事项会退回责任人重新办理。',
  relapse: '记录送到后，事项会重新交办给责任人。',
}

export function labelOf<T extends string>(words: readonly { value: T; label: string }[], value: T): string {
  return words.find((one) => one.value === value)?.label ?? value
}

/** 「第 2 站 建设局（3 件，已记录 1 件）」. */
export function stopWords(at: number, { unit, visits }: Schemas['StopOut']): string {
  const recorded = visits.filter((one) => one.recorded_at).length
  return `第 ${at + 1} 站 ${unit}（${visits.length} 件${recorded ? `，已记录 ${recorded} 件` : ''}）`
}

/** 「部分到位：缺一段」. */
export const findingWords = (check: Pick<Schemas['CheckOut'], 'finding' | 'note'>) =>
  labelOf(FINDINGS, check.finding) + (check.note ? `：${check.note}` : '')

/** 「北纬 30.59°，东经 114.31°（约一公里的大致位置）」. */
export function placeWords({ latitude, longitude, coarse }: Schemas['Place']): string {
  const decimals = coarse ? 2 : 5
  const north = `${latitude < 0 ? '南纬' : '北纬'} ${Math.abs(latitude).toFixed(decimals)}°`
  const east = `${longitude < 0 ? '西经' : '东经'} ${Math.abs(longitude).toFixed(decimals)}°`
  return `${north}，${east}${coarse ? '（约一公里的大致位置）' : ''}`
}
