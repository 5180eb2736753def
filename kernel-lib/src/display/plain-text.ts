// Text from data, made safe and readable: control and direction characters become visible, long text is cut at whole characters, and
// the width that a terminal gives a text is known.

const bidirectional = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f]/g
const controlsOfLatin1 = /[\u0080-\u009f]/g
const loneSurrogates = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** `text` without anything that acts: escape sequences and direction overrides are shown, not obeyed. Newlines and tabs stay. */
export function makeVisible(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(controls, (character) => (character === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + character.charCodeAt(0))))
    .replace(controlsOfLatin1, "\ufffd")
    .replace(bidirectional, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`)
    .replace(loneSurrogates, "\ufffd")
}

/** `text` on one line: newlines and tabs as marks, nothing that acts. */
export function onOneLine(text: string): string {
  return makeVisible(text).replace(/\n/g, " \u21b5 ").replace(/\t/g, " ")
}

// Marks that sit on the character before them, joiners and variation selectors.
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const doubleWidth =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u

/** Columns that a terminal gives one character. */
function widthOfCharacter(character: string): number {
  if (character < "\u0300") return 1
  if (zeroWidth.test(character)) return 0
  return doubleWidth.test(character) ? 2 : 1
}

/** Columns that a terminal gives `text`, which has no control characters. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += widthOfCharacter(character)
  return width
}

/** `text` in at most `columns` columns; what is cut off is marked by an ellipsis. */
export function fitTo(text: string, columns: number): string {
  if (text.length <= columns && widthOf(text) <= columns) return text
  let fitted = ""
  let width = 0
  for (const character of text) {
    const next = width + widthOfCharacter(character)
    if (next > columns - 1) {
      // It may be that only the ellipsis has no room.
      return columns < 1 ? "" : widthOf(text) <= columns ? text : `${fitted}\u2026`
    }
    fitted += character
    width = next
  }
  return fitted
}

/** `text` filled up with spaces to `columns` columns, on the right, or on the left where it is a number. */
export function padTo(text: string, columns: number, isNumber = false): string {
  const spaces = " ".repeat(Math.max(0, columns - widthOf(text)))
  return isNumber ? spaces + text : text + spaces
}

/** The first `count` characters of `text`, never half of one. */
export function firstCharacters(text: string, count: number): string {
  return text.length <= count ? text : text.slice(0, count).replace(/[\ud800-\udbff]$/, "")
}
