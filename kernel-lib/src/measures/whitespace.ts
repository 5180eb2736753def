// White space as Python's `str.split()` takes it, whose scores are the reference. JavaScript's \s differs by five control characters and
// the byte-order mark.

/** Whether Python splits at this character. */
export function isWhitespace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code >= 0x1c
  if (code < 0x1680) return code === 0x85 || code === 0xa0
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** The words between white space. */
export function splitAtWhitespace(text: string): string[] {
  const words: string[] = []
  let start = 0
  for (let index = 0; index <= text.length; index++) {
    if (index < text.length && !isWhitespace(text.charCodeAt(index))) continue
    if (index > start) words.push(text.slice(start, index))
    start = index + 1
  }
  return words
}
