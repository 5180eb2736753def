// A demo's payload as it comes out of a notebook file: anybody may have written it, so every part is looked at before it is used.
import { type DemoPayload, payloadVersion } from "../../../kernel-lib/src/display/payloads"

/** What can be asked, and how. */
export interface DemoSource {
  readonly title: string
  readonly subtitle: string
  readonly student: string
  readonly instruction: string
  readonly examples: readonly string[]
  readonly numTrain: number
  /** The port on the server's machine; undefined where the payload names none on loopback. */
  readonly port?: number
  /** What the kernel knows the demo by; a payload that was made before there were such has none. */
  readonly id?: string
}

const mostCharacters = 2000
const mostExamples = 12

/** Undefined for another kind, or a newer version. */
export function readDemo(value: unknown): DemoSource | undefined {
  if (typeof value !== "object" || value === null) return undefined
  const payload = value as { readonly [Name in keyof DemoPayload]?: unknown }
  if (payload.kind !== "demo" || typeof payload.version !== "number" || payload.version > payloadVersion) return undefined
  return {
    title: textOf(payload.title),
    subtitle: textOf(payload.subtitle),
    student: textOf(payload.student),
    instruction: textOf(payload.instruction),
    examples: Array.isArray(payload.examples)
      ? payload.examples
          .map(textOf)
          .filter((text) => text !== "")
          .slice(0, mostExamples)
      : [],
    numTrain: typeof payload.numTrain === "number" && payload.numTrain > 0 ? payload.numTrain : 0,
    port: portOf(payload.url),
    id: typeof payload.id === "string" && /^[\w-]{1,64}$/.test(payload.id) ? payload.id : undefined,
  }
}

/** Only a server on Jupyter's own machine is ever asked. */
export function portOf(url: unknown): number | undefined {
  const digits = typeof url === "string" ? /^http:\/\/(?:127\.0\.0\.1|localhost):(\d{1,5})\/?$/.exec(url)?.[1] : undefined
  return digits !== undefined && Number(digits) > 0 && Number(digits) < 65_536 ? Number(digits) : undefined
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, mostCharacters) : ""
}
