// How many requests may be in flight at once: rises while it goes well, falls at refusals and at rising latency, which is how local
// servers say that they are full. Additive steps with a multiplicative fall, as in TCP; the latency rule is a coarse form of TCP Vegas.
// Pure: it is told what happened and when, and reads no clock.

export interface Ticket {
  /** Falls counted when the request was sent: what was sent before a fall says nothing about the limit after it. */
  readonly falls: number
}

const start = 4
/** Outcomes over which the share of refusals is taken, and the share that makes the limit fall at once. */
const recentOutcomes = 20
const refusedShare = 0.25
/** Latency, as a multiple of the lowest, from which the limit no longer rises, and from which it falls. */
const slower = 1.5
const full = 2
const fall = 0.7

export class ConcurrencyLimit {
  private current: number
  private falls = 0
  /** Doubling until the first trouble, then by one. */
  private isStarting = true
  private successes = 0
  private readonly recent: boolean[] = []
  private latencies: number[] = []
  private lowestLatency = Number.POSITIVE_INFINITY
  /** The latency that made the limit fall, until it is seen whether the fall helped. */
  private suspectedLatency: number | undefined
  private mayRise = true

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
  succeeded(latency: number): void {
    this.note(false)
    this.latencies.push(latency)
    if (this.latencies.length >= Math.max(16, 2 * this.limit)) this.judgeLatency()
    this.successes++
    const needed = this.isStarting ? this.limit : Math.max(2, this.limit / 2)
    if (this.successes < needed || !this.mayRise) return
    this.successes = 0
    this.current = Math.min(this.max, this.isStarting ? this.current * 2 : this.limit + 1)
  }

  /** A request was refused (429, 5xx, no connection, time-out). One now and then costs little; many at once cost much. */
  refused(ticket: Ticket): void {
    this.note(true)
    this.isStarting = false
    this.successes = 0
    if (ticket.falls < this.falls) return
    const share = this.recent.filter(Boolean).length / this.recent.length
    if (this.recent.length >= recentOutcomes / 4 && share > refusedShare) this.drop()
    else this.current = Math.max(1, this.limit - 1)
  }

  private note(isRefused: boolean): void {
    this.recent.push(isRefused)
    if (this.recent.length > recentOutcomes) this.recent.shift()
  }

  private drop(): void {
    this.current = Math.max(1, this.limit * fall)
    this.isStarting = false
    this.falls++
    this.successes = 0
    this.recent.length = 0
  }

  private judgeLatency(): void {
    const median = [...this.latencies].sort((a, b) => a - b)[this.latencies.length >> 1]
    this.latencies = []
    // Where fewer requests in flight did not make it faster, the answers themselves have become longer.
    const isOwnPace = this.suspectedLatency !== undefined && median > this.suspectedLatency * 0.9
    this.suspectedLatency = undefined
    this.lowestLatency = isOwnPace ? median : Math.min(this.lowestLatency, median)
    this.mayRise = median <= this.lowestLatency * slower
    if (median <= this.lowestLatency * full || this.limit === 1) return
    this.suspectedLatency = median
    this.drop()
  }
}
