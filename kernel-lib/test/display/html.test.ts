import { describe, expect, it } from "vitest"
import { renderHtml } from "../../src/display/html"
import type { Payload } from "../../src/display/payloads"
import { dataset, emptyPayloads, hostileDataset, hostileText, oddTexts, payloadsOf, plainPayloads, report } from "./sample-payloads"
import { actsOnTerminal } from "./terminal-screen"

const allowedTags = new Set(
  "a b bdi br code del details div h4 header i img ins p span style summary table tbody td th thead tr".split(" "),
)
const allowedAttributes = new Set(
  "align alt aria-label aria-valuemax aria-valuemin aria-valuenow class height href rel role src style target width".split(" "),
)

/** Every tag with its attributes, read as a browser would: `<` opens a tag only where it was not escaped. */
function tagsOf(html: string): { name: string; attributes: string[] }[] {
  const withoutStyle = html.replace(/<style>[^<]*<\/style>/g, "")
  return [...withoutStyle.matchAll(/<\/?([^\s/>]+)((?:"[^"]*"|'[^']*'|[^>"'])*)>/g)].map((match) => ({
    name: match[1].toLowerCase(),
    attributes: [...match[2].matchAll(/([^\s="'>]+)(?:=(?:"[^"]*"|'[^']*'|[^\s>]*))?/g)].map((attribute) => attribute[1].toLowerCase()),
  }))
}

function expectHarmless(payload: Payload): void {
  const html = renderHtml(payload)
  for (const { name, attributes } of tagsOf(html)) {
    expect(allowedTags).toContain(name)
    for (const attribute of attributes) expect(allowedAttributes).toContain(attribute)
  }
  for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g))
    expect(address).toMatch(/^(data:image\/svg\+xml;base64,[A-Za-z0-9+/=]+|https?:&#?)|^http:\/\/127/)
  expect(countOf(html, /<table/g)).toBe(countOf(html, /<\/table>/g))
  expect(countOf(html, /<div/g)).toBe(countOf(html, /<\/div>/g))
}

const countOf = (html: string, pattern: RegExp) => html.match(pattern)?.length ?? 0
const svgsOf = (html: string) =>
  [...html.matchAll(/data:image\/svg\+xml;base64,([^"]*)/g)].map((match) => Buffer.from(match[1], "base64").toString("utf8"))
/** As it is where styles are stripped: tags without attributes that style, and no style. */
const strippedText = (html: string) =>
  html
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")

describe("renderHtml", () => {
  it.each(plainPayloads.map((payload) => [payload.kind, payload] as const))("renders a %s without anything that acts", (_, payload) => {
    expectHarmless(payload)
    const html = renderHtml(payload)
    expect(html).toContain(payload.kind === "progress" ? `<b>${payload.title}</b>` : `<h4>${payload.title}</h4>`)
    expect(strippedText(html)).toContain(payload.subtitle)
    if (payload.nextStep) expect(html).toContain(`<code>${payload.nextStep}</code>`)
  })

  it.each(emptyPayloads.map((payload) => [payload.kind, payload] as const))("renders an empty %s", (_, payload) => expectHarmless(payload))

  it.each(oddTexts.map((text) => [JSON.stringify(text.slice(0, 24)), text] as const))("renders %s everywhere as text", (_, text) => {
    for (const payload of payloadsOf(text)) {
      expectHarmless(payload)
      for (const svg of svgsOf(renderHtml(payload))) {
        expect(svg).not.toMatch(/<(script|img|foreignObject|a)\b/i)
        expect(svg).not.toMatch(/NaN|Infinity/)
      }
    }
    expectHarmless({ ...hostileDataset, title: text })
  })

  it("shows hostile text as it was written", () => {
    const html = renderHtml(hostileDataset)
    expect(html).not.toContain("<script")
    expect(html).toContain("&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;")
    expect(actsOnTerminal(html.replaceAll("\t", ""))).toBe(false)
    expect(html).toContain('<span class="sub">(empty)</span>')
  })

  it("folds long text and says where the payload cut it", () => {
    const html = renderHtml({ ...dataset, preview: [{ row: 0, input: "word ".repeat(80), output: "short", from: "x" }] })
    expect(html).toMatch(/<details><summary><bdi>word word .{0,200}<\/summary>/)
    expect(html).toContain("first 400 characters")
    expect(html).not.toContain("<details><summary><bdi>short")
  })

  it("says in words what its pictures show", () => {
    const html = renderHtml(dataset)
    expect(html).toContain('alt="500 rows accepted, 73 rejected: 31 duplicate, 22 near-duplicate, 12 malformed, 8 copies a demonstration"')
    expect(html).toContain('aria-label="length of inputs in characters: median 19, max 44"')
    expect(strippedText(html)).toContain("73 rejected: 31 duplicate, 22 near-duplicate")
    expect(strippedText(html)).toContain("3 of 500 rows; all of them are in runs/dates/generated.parquet")
  })

  it("names splits once", () => {
    const splits = [
      { name: "train", rows: 4000 },
      { name: "test", rows: 256 },
    ]
    const text = strippedText(renderHtml({ ...dataset, subtitle: "4,000 train, all distinct", splits }))
    expect(text.match(/4,000/g)).toHaveLength(1)
    expect(text).toContain("256 test")
  })

  it("calls a simulated teacher simulated", () => {
    expect(strippedText(renderHtml({ ...dataset, isSimulated: true }))).toContain("$1.00, simulated teacher")
    expect(strippedText(renderHtml({ ...dataset, subtitle: "9 rows, simulated", isSimulated: true }))).not.toContain("simulated teacher")
    expect(strippedText(renderHtml(report))).toContain("teacher, few-shot (simulated)")
  })

  it("shows intervals, missing scores, and where a wrong answer differs", () => {
    const html = renderHtml(report)
    expect(html).toContain('alt="0.977, 95% interval 0.957 to 0.992"')
    expect(strippedText(html)).toContain("0.957 to 0.992")
    expect(html).toContain("21st Sept. 1974 -&#62; 1974-09-21")
    expect(html).toContain("19<del>7</del><ins>4</ins>7-09-21")
    expect(strippedText(html)).toContain("copy the input 0.000 0.000 to 0.000 -")
    expect(strippedText(html)).toContain("2 worst of 6 wrong among 256 rows.")
  })

  it("links only to addresses of the web", () => {
    const demo = { kind: "demo", version: 1, title: "Demo", subtitle: "", examples: [] } as const
    expect(renderHtml({ ...demo, url: "javascript:alert(1)" })).not.toContain("<a")
    expect(renderHtml({ ...demo, url: `http://127.0.0.1:1/"onclick="x` })).not.toContain('"onclick')
    expect(renderHtml({ ...demo, url: "http://127.0.0.1:8765/" })).toContain('<a href="http://127.0.0.1:8765/"')
    expect(renderHtml({ ...demo, url: "http://127.0.0.1:1/", examples: ["it's"] })).toContain("it&#39;\\&#39;&#39;s")
  })

  it("keeps JupyterLab from setting what stands between two prices as a formula", () => {
    for (const payload of plainPayloads) expect(renderHtml(payload)).toMatch(/^<div class="[^"]*\bmathjax_ignore\b/)
  })

  it("stays small", () => {
    for (const payload of payloadsOf(hostileText.repeat(5))) expect(renderHtml(payload).length).toBeLessThan(100_000)
  })
})
