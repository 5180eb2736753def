// What a reader sees as one character, a letter with its accents or a flag, found in parts of the text: Intl.Segmenter alone takes
// time in proportion to the square of a text's length.

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const partLength = 256

/** The graphemes of a text, in their order. */
export function* segmentGraphemes(text: string): Generator<string> {
  let length = partLength
  for (let start = 0; start < text.length; ) {
    const isLast = start + length >= text.length
    const segments = Array.from(segmenter.segment(text.slice(start, start + length)), ({ segment }) => segment)
    // The last one of a part may go on after it.
    if (!isLast) segments.pop()
    yield* segments
    if (isLast) return
    const done = segments.reduce((sum, segment) => sum + segment.length, 0)
    start += done
    length = done === 0 ? length * 2 : partLength
  }
}
