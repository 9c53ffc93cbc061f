const LONGEST_MS = 5 * 60_000

/** How long to wait after so many failures in a row: doubling, at most five minutes, spread by up to half. */
export function pauseAfter(failures: number, first = 2000, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_MS, first * 2 ** (failures - 1))
  return whole * (1 - random() / 2)
}
