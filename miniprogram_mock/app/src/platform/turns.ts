/** One task at a time for each name, in the order of asking, within one running app. */
const last = new Map<string, Promise<unknown>>()

export function inTurn<T>(name: string, task: () => Promise<T>): Promise<T> {
  const mine = (last.get(name) ?? Promise.resolve()).then(task, task)
  last.set(
    name,
    mine.catch(() => undefined),
  )
  return mine
}
