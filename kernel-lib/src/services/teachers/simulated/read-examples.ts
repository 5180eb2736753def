// Finds the examples in a prompt, however it writes them: `input="..." output="..."`, JSON objects, `Input:` and `Output:` lines, arrows.
// The simulated teacher has nothing but the request's messages to learn its task from, as a real one.

export interface FoundExample {
  readonly input: string
  readonly output: string
}

interface Notation {
  readonly pattern: RegExp
  read(match: RegExpMatchArray): FoundExample
}

const jsonString = String.raw`("(?:[^"\\\n]|\\.)*")`
const labelWord = "(?:input|text|date|question|q|in)"
const answerWord = "(?:output|answer|label|result|iso(?: ?8601)?|a|out)"

const notations: readonly Notation[] = [
  {
    pattern: /\binput\s*[=:]\s*"((?:[^"\\]|\\.)*)"[\s,;]*\boutput\s*[=:]\s*"((?:[^"\\]|\\.)*)"/gi,
    read: (match) => ({ input: match[1], output: match[2] }),
  },
  {
    pattern: new RegExp(String.raw`"input"\s*:\s*${jsonString}\s*,\s*"output"\s*:\s*${jsonString}`, "gi"),
    read: (match) => ({ input: readJson(match[1]), output: readJson(match[2]) }),
  },
  {
    pattern: new RegExp(
      String.raw`^[ \t>*-]*${labelWord}[ \t]*[:=][ \t]*(\S[^\n]*)\n+[ \t>*-]*${answerWord}[ \t]*[:=][ \t]*(\S[^\n]*)$`,
      "gim",
    ),
    read: (match) => ({ input: unquote(match[1]), output: unquote(match[2]) }),
  },
  {
    pattern: /^[ \t]*(?:[-*•][ \t]+|\(?\d{1,2}[.)][ \t]+)?(\S[^\n]*?)[ \t]*\n?[ \t]*(?:->|=>|→|⇒|\bbecomes\b)[ \t]*(\S[^\n]*)$/gim,
    read: (match) => ({ input: unquote(match[1]), output: unquote(match[2]) }),
  },
]

/** The examples of `text` in the first notation that it uses, and the text around them. */
export function findExamples(text: string): { instruction: string; examples: FoundExample[] } {
  for (const { pattern, read } of notations) {
    const examples = [...text.matchAll(pattern)].map(read).filter(({ input, output }) => input !== "" && output !== "")
    if (examples.length > 0) return { instruction: tidy(text.replace(pattern, "")), examples }
  }
  return { instruction: tidy(text), examples: [] }
}

function readJson(text: string): string {
  try {
    return JSON.parse(text)
  } catch {
    return text.slice(1, -1)
  }
}

function unquote(text: string): string {
  return text
    .trim()
    .replace(/^["'`“‘](.*)["'`”’][.,;]?$/, "$1")
    .trim()
}

/** Lines that only announced examples are left out. */
function tidy(text: string): string {
  return text
    .replace(/^[#*\s]*(?:here (?:are|is) )?(?:some |a few |an |the )?(?:for )?(?:examples?|e\.g\.)[*\s]*:?[*\s]*$/gim, "")
    .replace(/^\s*[-*{}[\],]+\s*$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
}
