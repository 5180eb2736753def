// Reads a JSON object out of a model's answer, which may stand among other words, in a code fence, or in the JSON that people write by hand.
// The answer is data: it is parsed and checked against its schema, never evaluated.
import type { ResponseSchema } from "./teacher"

/** Characters that are looked at, as a multiple of the answer's own, and of a short one: brackets that never close would be looked at again from each on. */
const mostLooks = 4
const freeLooks = 100_000

/** The first object in `text` that parses and has all members of `required`; undefined where there is none. */
export function parseAnswerObject(text: string, required: readonly string[] = []): Record<string, unknown> | undefined {
  const hasAll = (value: unknown): value is Record<string, unknown> =>
    isObject(value) && required.every((name) => Object.hasOwn(value, name))
  const whole = tryParse(text)
  if (hasAll(whole)) return whole
  // What a model thinks aloud may hold drafts; some servers leave out where it begins.
  const thought = text.lastIndexOf(endOfThought)
  const answer = thought === -1 ? "" : text.slice(thought + endOfThought.length)
  return findObject(answer, hasAll) ?? findObject(text, hasAll)
}

const endOfThought = "</think>"

function findObject<Found>(text: string, isMeant: (value: unknown) => value is Found): Found | undefined {
  let looks = mostLooks * text.length + freeLooks
  for (let start = text.indexOf("{"); start !== -1 && looks > 0; start = text.indexOf("{", start + 1)) {
    const end = endOfObject(text, start)
    looks -= (end ?? text.length) - start
    if (end === undefined) continue
    const candidate = text.slice(start, end)
    const value = tryParse(candidate) ?? tryParse(toStrictJson(candidate))
    if (isMeant(value)) return value
  }
  return undefined
}

/**
 * What is wrong with `value` by `schema`, in a few words; undefined where nothing is. Knows what the library's own schemas use: type,
 * properties, required, additionalProperties, items, enum.
 */
export function findSchemaProblem(value: unknown, schema: ResponseSchema["schema"], path = "the answer"): string | undefined {
  const { type, enum: allowed, properties = {}, required = [], additionalProperties, items } = schema as SchemaNode
  if (type !== undefined && !hasType(value, type)) return `${path} must be ${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`
  if (allowed && !allowed.includes(value)) return `${path} must be one of ${allowed.map((member) => JSON.stringify(member)).join(", ")}`
  if (Array.isArray(value)) {
    const problems = value.map((item, index) => items && findSchemaProblem(item, items, `item ${index} of ${path}`))
    return problems.find((problem) => problem !== undefined)
  }
  if (!isObject(value)) return undefined
  const missing = required.find((name) => !Object.hasOwn(value, name))
  if (missing !== undefined) return `${path} has no ${JSON.stringify(missing)}`
  for (const [name, member] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!known && additionalProperties === false) return `${path} has ${JSON.stringify(name)}, which was not asked for`
    const problem = known && findSchemaProblem(member, known, JSON.stringify(name))
    if (problem) return problem
  }
  return undefined
}

interface SchemaNode {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, ResponseSchema["schema"]>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: ResponseSchema["schema"]
}

function hasType(value: unknown, type: string): boolean {
  if (type === "object") return isObject(value)
  if (type === "array") return Array.isArray(value)
  if (type === "integer") return Number.isInteger(value)
  if (type === "null") return value === null
  return typeof value === type
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Where the object that begins at `start` ends; brackets inside of strings do not count. Undefined where it does not end. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0
  let isInString = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (isInString) {
      if (character === "\\") at++
      else if (character === '"') isInString = false
    } else if (character === '"') isInString = true
    else if (character === "{") depth++
    else if (character === "}" && --depth === 0) return at + 1
  }
  return undefined
}

const literals: Readonly<Record<string, string>> = { True: "true", False: "false", None: "null" }

/** Python's dictionaries and hand-written JSON as JSON: quotes, literals, commas before a bracket, line breaks inside of strings. */
function toStrictJson(text: string): string {
  let strict = ""
  for (let at = 0; at < text.length; ) {
    const character = text[at]
    if (character === '"' || character === "'") {
      const end = endOfString(text, at)
      strict += rewriteString(text.slice(at + 1, end), character)
      at = end + 1
      continue
    }
    const word = /^[A-Za-z]+/.exec(text.slice(at, at + 5))?.[0]
    if (word) {
      strict += literals[word] ?? word
      at += word.length
      continue
    }
    if (character !== "," || !/^,\s*[}\]]/.test(text.slice(at, at + 50))) strict += character
    at++
  }
  return strict
}

function endOfString(text: string, start: number): number {
  const quote = text[start]
  let at = start + 1
  while (at < text.length && text[at] !== quote) at += text[at] === "\\" ? 2 : 1
  return Math.min(at, text.length)
}

function rewriteString(content: string, quote: string): string {
  const unquoted = quote === "'" ? content.replaceAll("\\'", "'").replaceAll(/(?<!\\)"/g, '\\"') : content
  const escaped = unquoted.replace(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1))
  return `"${escaped}"`
}
