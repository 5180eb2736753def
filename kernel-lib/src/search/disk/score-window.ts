// The scores of the cards of some rows that follow each other, most of which have none.

const windowRows = 1 << 12

export class ScoreWindow {
  /** First row, and the one behind the last. */
  start = 0
  end = 0
  private readonly scores = new Float64Array(windowRows)
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

  /** Hands over each row whose score is above a least one, which `take` may raise with what it answers, in order; forgets all scores. */
  drain(least: number, take: (row: number, score: number) => number): void {
    const { marks, scores, start } = this
    let floor = least
    for (let group = 0; group < marks.length; group++) {
      for (let bits = marks[group]; bits !== 0; bits &= bits - 1) {
        const place = group * 32 + 31 - Math.clz32(bits & -bits)
        if (scores[place] > floor) floor = take(start + place, scores[place])
      }
      marks[group] = 0
    }
  }
}
