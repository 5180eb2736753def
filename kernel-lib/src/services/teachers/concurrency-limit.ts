// How many requests may be in flight at once: rises while it goes well, falls at refusals and at rising latency, which is how local
// servers say that they are full. Additive steps with a multiplicative fall, as in TCP; the latency rule is a coarse form of TCP Vegas.
// Pure: it is told what happened, and reads no clock.

export interface Ticket {
  /** Falls counted when the request was sent: what was sent before a fall says nothing about the limit after it. */
  readonly falls: number
}

const start = 4
/** Answers that come before the first doubling, at least. */
const leastRound = 8
const fall = 0.7
/** Where latency falls with the limit by less than half of what a queue would, it was no queue. */
const ownPace = 0.85
/** Outcomes over which the share of refusals is taken, at most where the limit is no larger and at least. Shares above which, chance allowed
 * for, the limit falls by one, and by much. */
const recentOutcomes = 20
const leastOutcomes = 10
const someRefused = 0.1
const manyRefused = 0.25
/** Answers whose median latency is judged together, at least. */
const judgedTogether = 48
/** Latency, as a multiple of the lowest, from which the limit no longer rises, and from which it falls. */
const slow = 1.5
const full = 2
/** Judgements that may keep the limit from rising before it is tested whether fewer requests really are faster. */
const patience = 8

export class ConcurrencyLimit {
  private current: number
  private falls = 0
  /** Doubling until the first trouble, then by one. */
  private isStarting = true
  private successes = 0
  private readonly recent: boolean[] = []
  private latencies: number[] = []
  /** The lowest latency, as high as it may be. */
  private lowestLatency = Number.POSITIVE_INFINITY
  /** The latency at which the limit fell, until it is seen whether that helped. */
  private suspected: number | undefined
  /** Judgements in a row that found it too slow to rise. */
  private held = 0

  constructor(private readonly max: number) {
    this.current = Math.min(max, start)
  }

  /** Requests that may be in flight. At least 1. */
  get limit(): number {
    return Math.floor(this.current)
  }

  /** Called when a request is sent; the ticket comes back with its outcome. */
  issue(): Ticket {
    return { falls: this.falls }
  }

  /** An answer came after `latency` milliseconds. */
  succeeded(ticket: Ticket, latency: number): void {
    this.noteOutcome(false)
    if (ticket.falls === this.falls) this.latencies.push(latency)
    this.successes++
    const isRound = this.successes >= (this.isStarting ? Math.max(leastRound, this.limit) : Math.max(2, this.limit / 2))
    const isJudged = this.latencies.length >= (this.isStarting && isRound ? 1 : Math.max(judgedTogether, 2 * this.limit))
    if (isJudged) this.judgeLatency()
    if (!isRound || this.held > 0 || this.suspected !== undefined) return
    this.successes = 0
    this.current = Math.min(this.max, this.isStarting ? this.limit * 2 : this.limit + 1)
  }

  /** A request was refused (429, 5xx, no connection, time-out). One now and then is nothing; many at once cost much. */
  refused(ticket: Ticket): void {
    this.noteOutcome(true)
    if (ticket.falls < this.falls) return
    const count = this.recent.filter(Boolean).length
    // Less the deviation of a count that is up to chance.
    const share = (count - Math.sqrt(count)) / Math.max(leastOutcomes, this.recent.length)
    if (share <= someRefused) return
    this.isStarting = false
    if (share > manyRefused) this.drop()
    else this.current = Math.max(1, this.limit - 1)
  }

  private noteOutcome(isRefused: boolean): void {
    this.recent.push(isRefused)
    if (this.recent.length > Math.max(recentOutcomes, this.limit)) this.recent.shift()
  }

  private drop(): void {
    this.current = Math.max(1, Math.floor(this.limit * fall))
    this.isStarting = false
    this.falls++
    this.successes = 0
    this.held = 0
    this.recent.length = 0
    this.latencies = []
  }

  private judgeLatency(): void {
    const { median, factor } = describeLatencies(this.latencies)
    this.latencies = []
    // Where fewer requests in flight did not make it faster, it was not their number: answers have become longer.
    const isOwnPace = this.limit === 1 || (this.suspected !== undefined && median > this.suspected * ownPace)
    this.suspected = undefined
    this.lowestLatency = isOwnPace ? median * factor : Math.min(this.lowestLatency, median * factor)
    const least = median / factor
    const isSlow = least > this.lowestLatency * slow
    this.held = isSlow ? this.held + 1 : 0
    // While it doubles, answers of several limits are mixed: enough to stop doubling, too little to fall.
    const isCertain = !this.isStarting
    if (isSlow) this.isStarting = false
    if (!isCertain || (least <= this.lowestLatency * full && this.held < patience)) return
    this.suspected = median
    this.drop()
  }
}

/** The median, and the factor by which chance makes it too high or too low: answers of one model differ by more than a queue makes them. */
function describeLatencies(latencies: readonly number[]): { median: number; factor: number } {
  const logarithms = Float64Array.from(latencies, (latency) => Math.log(Math.max(latency, 0.001))).sort()
  const middle = logarithms[logarithms.length >> 1]
  const spread = logarithms.map((value) => Math.abs(value - middle)).sort()[logarithms.length >> 1]
  // 1.4826 makes the spread a standard deviation, and 1.2533 a mean's error a median's, where the logarithms are normal.
  const error = (1.2533 * 1.4826 * spread) / Math.sqrt(logarithms.length)
  return { median: Math.exp(middle), factor: Math.exp(error) }
}
