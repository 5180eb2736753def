// serve: a student in, a server on loopback out: a page to type into, and the protocols that OpenAI's clients speak. Nothing leaves the machine.
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import { type DemoPayload, payloadVersion, previewCharacters } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { defineStage } from "../../store/define-stage"
import { closeDemo, openDemo } from "./ask-demo"
import { StudentServer } from "./student-server"

export interface ServeOptions extends StageInlineOptions {
  /** Shown on the page, with its demonstrations as examples to try. */
  readonly spec?: PromptSpec
  /** The rows that the student learned from: the nearest ones stand beside each answer. */
  readonly train?: Dataset
  /** Default 0: any free port. */
  readonly port?: number
  /** The address to listen at. Default 127.0.0.1, which only this machine reaches; any other needs an `apiKey`. */
  readonly host?: string
  /** What clients must send as `Authorization: Bearer KEY`. Default: none is asked for. */
  readonly apiKey?: string
  /** Longest that a question waits and is worked on, in seconds; then its client gets status 504. Default 120. */
  readonly maxSecondsPerRequest?: number
}

/** A demo that is open until it is closed. */
export interface Demo {
  readonly kind: "demo"
  readonly url: string
  readonly port: number
  /** Takes no more questions, answers those that are there (for 30 seconds at most), and ends. */
  close(): Promise<void>
}

/**
 * Serves a student on 127.0.0.1: a page at `/`; OpenAI's protocols at `/v1/chat/completions`, `/v1/completions` and `/v1/models`, where the
 * last message of the user, or the prompt, is the input; `POST /predict` with `{"inputs": [...]}` and, where the nearest training rows are
 * wanted, `"nearest": 5`; `GET /health`; and `GET /metrics` for Prometheus. Questions that arrive together are answered together. The
 * extension of JupyterLab asks it through Jupyter's proxy, or through the kernel.
 * @throws InputError `serve.port-in-use`, `serve.port-not-allowed`, `serve.no-such-address`, `serve.needs-key`
 * @example
 * const student = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
 * const demo = await serve(student, { spec })
 * await demo.close()
 */
export const serve = defineStage<Student, ServeOptions, Demo>({
  name: "serve",
  version: 1,
  uses: [],
  key: (student, { port }) => ({ student: student.fingerprint, port }),
  async work(student, { spec, train, port = 0, host = "127.0.0.1", apiKey, maxSecondsPerRequest = 120 }) {
    if (!apiKey && !isLoopback(host))
      throw new InputError(
        "serve.needs-key",
        `Whoever reaches ${host} could ask this student: give an apiKey (PROMPT2MODEL_SERVE_KEY on the command line), or listen at 127.0.0.1.`,
      )
    const server = new StudentServer({ student, spec, train, apiKey, maxSecondsPerRequest, isOpen: !isLoopback(host) })
    const bound = await server.listen(port, host)
    const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
    const demo: Demo = {
      kind: "demo",
      url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${bound}/`,
      port: bound,
      close() {
        closeDemo(server.id)
        return server.close()
      },
    }
    openDemo(server.id, server.answer)
    makeSelfShowing(demo, () => describeDemo(demo, server.id, student, { spec, train, host }))
    return demo
  },
  summarize: (demo) => demo.url,
})

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function describeDemo(demo: Demo, id: string, student: Student, { spec, train, host = "127.0.0.1" }: ServeOptions): DemoPayload {
  return {
    kind: "demo",
    version: payloadVersion,
    title: "Demo",
    subtitle: `${student.name} at ${demo.url}, ${isLoopback(host) ? "on this machine only" : "for whoever has the key"}`,
    url: demo.url,
    examples: spec?.demonstrations.map(({ input }) => input) ?? [],
    id,
    student: student.name,
    instruction: spec?.instruction.slice(0, previewCharacters),
    numTrain: train?.length,
    nextStep: "await trained.student.predict([input])",
  }
}
