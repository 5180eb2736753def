// The best rows of a search, kept in a heap whose first is the worst of them.
import type { Ranking } from "./fusion"

export class TopRows {
  private readonly rows: number[] = []
  private readonly scores: number[] = []

  constructor(private readonly limit: number) {}

  /** What a row must exceed to come in. */
  get threshold(): number {
    return this.rows.length < this.limit ? Number.NEGATIVE_INFINITY : this.scores[0]
  }

  /** Offers a row. Of equal scores the lower row stays. */
  offer(row: number, score: number): void {
    const { rows, scores } = this
    if (rows.length < this.limit) {
      rows.push(row)
      scores.push(score)
      this.rise(rows.length - 1)
    } else if (this.limit > 0 && (score > scores[0] || (score === scores[0] && row < rows[0]))) {
      rows[0] = row
      scores[0] = score
      this.sink()
    }
  }

  /** Best first. */
  rank(): Ranking {
    const order = this.rows.map((_, place) => place).sort((one, other) => (this.isWorse(one, other) ? 1 : -1))
    return { rows: order.map((place) => this.rows[place]), scores: order.map((place) => this.scores[place]) }
  }

  private isWorse(one: number, other: number): boolean {
    const { rows, scores } = this
    return scores[one] < scores[other] || (scores[one] === scores[other] && rows[one] > rows[other])
  }

  private rise(place: number): void {
    let at = place
    while (at > 0 && this.isWorse(at, (at - 1) >> 1)) {
      this.swap(at, (at - 1) >> 1)
      at = (at - 1) >> 1
    }
  }

  private sink(): void {
    for (let at = 0; ; ) {
      let worst = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.rows.length && this.isWorse(child, worst)) worst = child
      if (worst === at) return
      this.swap(at, worst)
      at = worst
    }
  }

  private swap(one: number, other: number): void {
    const { rows, scores } = this
    ;[rows[one], rows[other]] = [rows[other], rows[one]]
    ;[scores[one], scores[other]] = [scores[other], scores[one]]
  }
}
