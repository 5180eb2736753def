// What a served student counts, as Prometheus reads it.
import { Counter, Gauge, Histogram, Registry } from "prom-client"

/** Paths that are counted under their own name; any other is `other`, so that strangers cannot make labels without end. */
const knownPaths = new Set(["/", "/predict", "/health", "/metrics", "/v1/models", "/v1/completions", "/v1/chat/completions"])

export class ServerMetrics {
  private readonly registry = new Registry()
  private readonly requests = new Histogram({
    name: "prompt2model_request_seconds",
    help: "Requests by path and status, and the seconds until the last byte of the response.",
    labelNames: ["path", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  })
  private readonly batches = new Histogram({
    name: "prompt2model_batch_rows",
    help: "Inputs that were answered together.",
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers: [this.registry],
  })
  private readonly tokens = new Counter({
    name: "prompt2model_generated_tokens_total",
    help: "Tokens of answers.",
    registers: [this.registry],
  })
  private readonly busy = new Counter({
    name: "prompt2model_answering_seconds_total",
    help: "Seconds that the student was at work.",
    registers: [this.registry],
  })

  /** @param countWaiting inputs that wait to be answered, now */
  constructor(countWaiting: () => number) {
    new Gauge({
      name: "prompt2model_waiting_inputs",
      help: "Inputs that wait to be answered.",
      registers: [this.registry],
      collect() {
        this.set(countWaiting())
      },
    })
  }

  requestEnded(path: string, status: number, seconds: number): void {
    this.requests.observe({ path: knownPaths.has(path) ? path : "other", status: String(status) }, seconds)
  }

  batchAnswered({ rows, tokens, seconds }: { readonly rows: number; readonly tokens: number; readonly seconds: number }): void {
    this.batches.observe(rows)
    this.tokens.inc(tokens)
    this.busy.inc(seconds)
  }

  get contentType(): string {
    return this.registry.contentType
  }

  print(): Promise<string> {
    return this.registry.metrics()
  }
}
