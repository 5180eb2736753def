// report.html: one file with all results of a run. No script, nothing loaded from anywhere, both themes.
import { renderHtml } from "./html"
import { pageStyle, wholePage } from "./page"
import type { Payload } from "./payloads"
import { escapeMarkup } from "./svg/picture"

export interface ReportPage {
  readonly title: string
  /** The sentence under the title. */
  readonly subtitle?: string
  /** Shown in this order. */
  readonly payloads: readonly Payload[]
}

// Nothing but the styles and images inside the file itself may be used, whatever stands in it.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

/** One self-contained page. */
export function renderReportPage({ title, subtitle, payloads }: ReportPage): string {
  const head = `<meta http-equiv="Content-Security-Policy" content="${escapeMarkup(policy)}">
<style>${pageStyle}
.p2m{margin-bottom:30px}@media print{body{padding:0}.p2m{break-inside:avoid}}</style>`
  const lead = subtitle ? `<p class="lead">${escapeMarkup(subtitle)}</p>` : ""
  return wholePage(title, head, `<h1>${escapeMarkup(title)}</h1>\n${lead}\n<main>\n${payloads.map(renderHtml).join("\n")}\n</main>`)
}
