// Payloads as script-free HTML: what notebooks show, what is left on GitHub, and what report.html is made of.
import { renderCandidatesHtml } from "./html/candidates"
import { renderDatasetHtml } from "./html/dataset"
import { renderDemoHtml } from "./html/demo"
import { renderProgressHtml } from "./html/progress"
import { renderPromptHtml } from "./html/prompt"
import { renderReportHtml } from "./html/report"
import { renderTableHtml } from "./html/table"
import { renderTrainingHtml } from "./html/training"
import type { Payload } from "./payloads"

/** One result as HTML: no script, no request, all text escaped. */
export function renderHtml(payload: Payload): string {
  switch (payload.kind) {
    case "prompt":
      return renderPromptHtml(payload)
    case "dataset":
      return renderDatasetHtml(payload)
    case "candidates":
      return renderCandidatesHtml(payload)
    case "training":
      return renderTrainingHtml(payload)
    case "report":
      return renderReportHtml(payload)
    case "table":
      return renderTableHtml(payload)
    case "demo":
      return renderDemoHtml(payload)
    case "progress":
      return renderProgressHtml(payload)
  }
}
