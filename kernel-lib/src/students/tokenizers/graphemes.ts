// What a reader sees as one character, a letter with its accents or a flag, found in parts of the text: Intl.Segmenter alone takes
// time in proportion to the square of a text's length.

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const partLength = 256

/** The graphemes of a text, in their order. */
export function* segmentGraphemes(text: string): Generator<string> {
  let length = partLength
  for (let start = 0; start < text.length; ) {
    // Half a character at the end would part it from what is before it.
    const end = start + length + (highSurrogate.test(text[start + length - 1]) ? 1 : 0)
    const segments = Array.from(segmenter.segment(text.slice(start, end)), ({ segment }) => segment)
    // The last one of a part may go on after it.
    if (end < text.length) segments.pop()
    yield* segments
    if (end >= text.length) return
    const done = segments.reduce((sum, segment) => sum + segment.length, 0)
    start += done
    length = done === 0 ? length * 2 : partLength
  }
}

const highSurrogate = /[\ud800-\udbff]/
