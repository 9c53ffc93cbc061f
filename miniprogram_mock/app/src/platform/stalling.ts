/** A transfer that moves may take as long as it needs; one that stands still for a minute is given up. */
const STILL_MS = 60_000

export function whileMoving(giveUp: () => void): { moved(): void; over(): void } {
  let timer = setTimeout(giveUp, STILL_MS)
  return {
    moved() {
      clearTimeout(timer)
      timer = setTimeout(giveUp, STILL_MS)
    },
    over: () => clearTimeout(timer),
  }
}
