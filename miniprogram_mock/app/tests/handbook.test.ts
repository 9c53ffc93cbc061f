import { expect, test } from 'vitest'

import type { Schemas } from '@/api/contract'
import { foundIn } from '@/pages/handbook/searching'

const item = (title: string, number: string) => ({ title, number, unit: '建设局', state_label: '办理中' }) as Schemas['ItemLine']
const duty = (unit: string, title: string) => ({ unit, title }) as Schemas['DutyOut']
const BOOK: Schemas['HandbookOut'] = {
  ...{ as_of: '2026-11-24', more: false },
  duties: [duty('建设局', '副局长'), duty('柳汀街道', '党工委委员')],
  items: [item('河道清淤', 'ZL-WT-2026-0001'), item('围挡恢复', 'ZL-WT-2026-0002')],
}

test('every word searched for must stand in a line, in whichever part of it', () => {
  expect(foundIn(BOOK, '  ')).toEqual({ duties: BOOK.duties, items: BOOK.items })
  expect(foundIn(BOOK, '0002').items.map((one) => one.title)).toEqual(['围挡恢复'])
  expect(foundIn(BOOK, '建设局 河道').items.map((one) => one.title)).toEqual(['河道清淤'])
  expect(foundIn(BOOK, '街道')).toEqual({ duties: [BOOK.duties[1]], items: [] })
})
