/** Refusals, as sentences for the person. */
import { FileGone, StorageFull, Unreachable } from '@/platform/platform'

import type { Schemas } from './contract'

/** RFC 9457 problem details; `code` is stable, `detail` is a Chinese sentence, further members depend on the code. */
export class Problem extends Error {
  readonly code: string
  readonly status: number

  constructor(readonly content: Schemas['Problem'] & Record<string, unknown>) {
    super(content.detail)
    this.name = 'Problem'
    this.code = content.code
    this.status = content.status
  }

  /** Whether the same request may be taken another time: the server was busy or ill, the request was not wrong. */
  get mayPass(): boolean {
    return this.status >= 500 || [401, 408, 423, 429].includes(this.status) || this.code === 'in_progress'
  }
}

/** Nobody is signed in, and signing in needs the person. */
export class SignedOut extends Error {
  constructor() {
    super('signed out')
    this.name = 'SignedOut'
  }
}

/** What an answer that is no success says. */
export function problemOf(status: number, content: unknown): Problem {
  if (typeof content === 'object' && content !== null && 'code' in content) return new Problem(content as Schemas['Problem'])
  const detail = '服务暂时出错，没有做任何改动。请稍后再试。'
  return new Problem({ type: 'about:blank', title: '', status, code: 'internal', detail, faults: [], request_id: '' })
}

/** What happened, what is kept, what to do. */
export function sentence(fault: unknown): string {
  if (fault instanceof Problem) return fault.message
  if (fault instanceof Unreachable) return '现在连不上网络。已填的内容都还在，有网络后再试。'
  if (fault instanceof StorageFull) return '手机存储空间不够，这一条没有保存；之前等待发送的都还在。请清理空间，或有网络后再试。'
  if (fault instanceof FileGone) return '这个文件已经不在手机上，没有送到。请删除这一条，重新选择文件。'
  if (fault instanceof SignedOut) return '登录已结束，请重新登录。等待发送的内容都还在。'
  return '小程序出了点问题，已填的内容都还在。请退出小程序后再试。'
}
