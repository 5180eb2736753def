import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readMarkedExamples } from "../../src/stages/parse-prompt/read-marked-examples"

describe("readMarkedExamples", () => {
  it("reads pairs in quotes, over lines and with escapes, and leaves the rest as the instruction", () => {
    const text = `Answer the question.\n\nHere are some examples:\n\ninput="Question: \\"Who?\\" Context: two\nlines"\noutput="me"\n\n1)\ninput = “curly” output = “quotes”\n\nBe brief.`
    expect(readMarkedExamples(text)).toEqual({
      instruction: "Answer the question.\n\nBe brief.",
      demonstrations: [
        { input: 'Question: "Who?" Context: two\nlines', output: "me" },
        { input: "curly", output: "quotes" },
      ],
    })
  })

  it("reads labelled lines", () => {
    const text = "Sentiment of a review.\n\nInput: good film\nOutput: positive\n\nInput: bad\nfilm\nOutput: negative"
    expect(readMarkedExamples(text).demonstrations).toEqual([
      { input: "good film", output: "positive" },
      { input: "bad\nfilm", output: "negative" },
    ])
  })

  it("finds none where nothing is marked, and keeps every word of the text", () => {
    const text = "Example sentences should be short. Turn the input into an output: 3 May -> 05-03"
    expect(readMarkedExamples(text)).toEqual({ instruction: text, demonstrations: [] })
  })

  it("gives back any pair that is written with quotes and backslashes escaped", () => {
    const quote = (text: string) => `"${text.replace(/(["\\])/g, "\\$1")}"`
    fc.assert(
      fc.property(fc.array(fc.record({ input: fc.string(), output: fc.string() }), { minLength: 1, maxLength: 4 }), (pairs) => {
        const text = `Do it.\n\n${pairs.map(({ input, output }) => `input=${quote(input)}\noutput=${quote(output)}`).join("\n\n")}`
        expect(readMarkedExamples(text).demonstrations).toEqual(pairs)
      }),
    )
  })
})
