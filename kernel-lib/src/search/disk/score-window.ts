// The scores of the cards of some rows that follow each other, most of which have none.

const windowRows = 1 << 12

export class ScoreWindow {
  /** First row, and the one behind the last. */
  start = 0
  end = 0
  /** By place in the window; once gathered, of the first so many rows in `rows`. */
  readonly scores = new Float64Array(windowRows)
  readonly rows = new Uint32Array(windowRows)
  /** A bit for each row that has a score, so that the others need not be looked at. */
  private readonly marks = new Uint32Array(windowRows / 32)

  /** Begins at a row, without scores. */
  moveTo(start: number): void {
    this.start = start
    this.end = start + windowRows
  }

  add(row: number, score: number): void {
    const place = row - this.start
    const bit = 1 << (place & 31)
    if (this.marks[place >> 5] & bit) this.scores[place] += score
    else {
      this.marks[place >> 5] |= bit
      this.scores[place] = score
    }
  }

  /** Gathers the rows whose score is above `floor`, in order, and forgets all scores. @returns how many those are */
  gather(floor: number): number {
    const { marks, scores, start } = this
    let count = 0
    for (let group = 0; group < marks.length; group++) {
      for (let bits = marks[group]; bits !== 0; bits &= bits - 1) {
        const place = group * 32 + 31 - Math.clz32(bits & -bits)
        const score = scores[place]
        if (score <= floor) continue
        this.rows[count] = start + place
        // At or before its own place, which was looked at.
        scores[count++] = score
      }
      marks[group] = 0
    }
    return count
  }
}
