import { describe, expect, it } from "vitest"
import { renderDemoPage } from "../../src/display/demo-page"
import { renderReportPage } from "../../src/display/report-page"
import { hostileText, oddTexts, payloadsOf, plainPayloads } from "./sample-payloads"

describe("report.html", () => {
  it("is one file: no script, no request", () => {
    const page = renderReportPage({ title: "Dates", subtitle: "simulated teacher", payloads: plainPayloads })
    expect(page).not.toMatch(/<script|<link|@import|url\(/i)
    for (const [, address] of page.matchAll(/src="([^"]*)"/g)) expect(address).toMatch(/^data:image\/svg\+xml;base64,/)
    const titles = plainPayloads.map(({ title }) => page.search(new RegExp(`<(h4|b)>${title}</`)))
    expect(titles).toEqual([...titles].sort((a, b) => a - b))
    expect(titles[0]).toBeGreaterThan(0)
    expect(page).toContain("prefers-color-scheme:dark")
  })

  it("forbids scripts even to a browser that would find one", () => {
    expect(renderReportPage({ title: "", payloads: [] })).toContain(
      "default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:",
    )
  })

  it("shows hostile text as text", () => {
    for (const text of oddTexts)
      expect(renderReportPage({ title: text, subtitle: text, payloads: payloadsOf(text) })).not.toMatch(/<script|<img src=x/i)
  })
})

describe("the demo's page", () => {
  const page = (examples: readonly string[]) =>
    renderDemoPage({ title: hostileText, instruction: hostileText, examples, nonce: "n0nce", isSimulated: true })

  it("fits a policy that allows only what carries the nonce", () => {
    const html = page(["3rd of May 1999"])
    expect([...html.matchAll(/<(?:script|style)[^>]*>/g)].map(([tag]) => tag)).toEqual(['<style nonce="n0nce">', '<script nonce="n0nce">'])
    expect(html).not.toMatch(/<[^>]* (style|on[a-z]+)=/)
    expect(html).not.toMatch(/https?:/)
    expect(html).toContain("a simulated teacher made")
  })

  it("has a script that is a script and writes only text", () => {
    const script = /<script nonce="n0nce">([\s\S]*?)<\/script>/.exec(page([]))?.[1] ?? ""
    expect(() => new Function(script)).not.toThrow()
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval/)
  })

  it("shows hostile examples as text", () => {
    const html = page(["</script><script>alert(1)</script>", "مرحبا"])
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(html).toContain("&#60;/script&#62;&#60;script&#62;alert(1)")
  })
})
