// An answer's text as it is sent in pieces: what may still change stays back.

/** A text without the half of a character at its end. */
export function dropHalf(text: string): string {
  return text.replace(/\uFFFD+$/, "")
}

/** Half a character, or what may be the beginning of a text that ends the answer, waits until it is known what it is. */
export class AnswerText {
  /** What has been given out. */
  text = ""
  /** One of the texts that end the answer came. */
  isStopped = false

  /** @param stop texts before which the answer ends */
  constructor(private readonly stop: readonly string[]) {}

  /**
   * The piece that is new and sure.
   * @param whole the answer so far
   */
  take(whole: string, isLast: boolean): string {
    if (this.isStopped) return ""
    // What was given out cannot begin a text that ends the answer: it would have been kept back.
    const ends = this.stop.map((text) => whole.indexOf(text, this.text.length)).filter((at) => at >= 0)
    this.isStopped = ends.length > 0
    const end = this.isStopped ? Math.min(...ends) : isLast ? whole.length : this.sureLength(whole)
    const piece = whole.slice(this.text.length, end)
    this.text += piece
    return piece
  }

  private sureLength(whole: string): number {
    const known = dropHalf(whole).length
    const begins = this.stop.flatMap((text) =>
      Array.from({ length: Math.min(text.length - 1, known) }, (_, i) => i + 1).filter(
        (count) => whole.slice(known - count, known) === text.slice(0, count),
      ),
    )
    return known - Math.max(0, ...begins)
  }
}
