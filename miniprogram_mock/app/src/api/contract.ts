/** What may be asked of the API and what it answers, read off the generated schema. */
import type { components, paths } from './schema'

export type Schemas = components['schemas']

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>
type Json<T> = T extends { content: { 'application/json': infer Content } } ? Content : undefined

/** Paths that take this method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends undefined ? never : P
}[keyof paths]

/** The reply of a success. */
export type Reply<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? Json<R[keyof R & (200 | 201)]> : never

type Part<P extends keyof paths, M extends Method, Name extends 'path' | 'query'> =
  Operation<P, M> extends { parameters: infer Parameters }
    ? Name extends keyof Parameters
      ? NonNullable<Parameters[Name]>
      : never
    : never

type Given<Name extends string, T> = [T] extends [never] ? { [K in Name]?: never } : { [K in Name]: T }
type Allowed<Name extends string, T> = [T] extends [never] ? { [K in Name]?: never } : { [K in Name]?: T }

/** The parts of a request besides its body. */
export type Parts<P extends keyof paths, M extends Method> = Given<'path', Part<P, M, 'path'>> &
  Allowed<'query', Part<P, M, 'query'>>

/** The body of a write. */
export type Body<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody: { content: { 'application/json': infer Content } } } ? Content : undefined

/** The address of a request: parameters filled in, the query appended. */
export function address(path: string, parts: { path?: object; query?: object } = {}): string {
  const named = Object.entries(parts.path ?? {})
  const filled = named.reduce((text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)), path)
  const asked = Object.entries(parts.query ?? {}).filter(([, value]) => value !== undefined && value !== null)
  const query = asked.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  return query ? `${filled}?${query}` : filled
}
