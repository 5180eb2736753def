// Reads examples that nothing marks but their arrangement, for when there is no teacher to ask: `a -> b` lines, and `Q:` with `A:`.
import type { Example } from "../../core/prompt-spec"
import type { Span } from "./labelled-examples"

const bullet = String.raw`^[ \t]*(?:[-*•+][ \t]+|\(?\d{1,3}[.)、][ \t]*)?`
const arrows = new RegExp(String.raw`${bullet}(\S.*?)[ \t]*(?:-{1,3}>|={1,3}>|→|⇒|⟶|➜)[ \t]*(\S.*?)[ \t]*$`, "gmu")
const questions = new RegExp(
  String.raw`${bullet}(?:q|question|问|問|質問|frage|pregunta|вопрос|س)[ \t]*[:：][ \t]*(\S.*?)[ \t]*\n${bullet}(?:a|answer|答|回答|antwort|respuesta|réponse|ответ|ج)[ \t]*[:：][ \t]*(\S.*?)[ \t]*$`,
  "gimu",
)

/** At least two examples of one arrangement: a single arrow may stand for anything. */
export function guessExamples(text: string): Span[] {
  for (const pattern of [questions, arrows]) {
    const spans = [...text.matchAll(pattern)].map((match) => {
      const example: Example = { input: unquote(match[1]), output: unquote(match[2]) }
      return { start: match.index, end: match.index + match[0].length, example }
    })
    if (spans.length >= 2) return spans
  }
  return []
}

function unquote(text: string): string {
  return /^(?:"[^"]*"|“[^”]*”|「[^」]*」|'[^']*'|`[^`]*`)$/.test(text) ? text.slice(1, -1) : text
}
