/**
 * Which phone this browser plays: `?phone=<number>` says so once. A tab remembers its own, so that several phones fit
 * side by side; a new tab takes the last one.
 */
const NAME = 'zhuoluo-phone'

function asked(): string | null {
  return new URLSearchParams(location.search).get('phone')
}

export function chosenPhone(): string | null {
  const number = asked()
  if (number && /^\d{5,20}$/.test(number)) choosePhone(number)
  return sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME)
}

export function choosePhone(number: string): void {
  sessionStorage.setItem(NAME, number)
  localStorage.setItem(NAME, number)
}
