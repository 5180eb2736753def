// A report as a LaTeX table.
import { formatScore } from "../../display/wording"
import { describeMetric } from "../../measures/metrics"
import type { Comparison, ReportData } from "./report-data"

/** Systems down, metrics across; the best score of each metric in bold, intervals in small print. */
export function writeLatex<MetricName extends string>(
  report: Pick<ReportData<MetricName>, "metrics" | "systems"> & { readonly comparison?: Comparison; readonly mainRows: readonly unknown[] },
): string {
  const { metrics, systems, mainRows, comparison } = report
  const best = metrics.map((name) => Math.max(...systems.map(({ scores }) => scores[name])))
  const lines = systems.map(({ label, note, scores, intervals }) => {
    const cells = metrics.map((name, index) => {
      const { scale } = describeMetric(name)
      const score = formatScore(scores[name], scale)
      const { low, high } = intervals[name]
      return `${scores[name] === best[index] ? `\\textbf{${score}}` : score} {\\small [${formatScore(low, scale)}, ${formatScore(high, scale)}]}`
    })
    return `${[escapeLatex(note ? `${label} (${note})` : label), ...cells].join(" & ")} \\\\`
  })
  const caption = [`${mainRows.length} test rows, 95\\% bootstrap intervals.`, comparison && escapeLatex(comparison.sentence)]
    .filter(Boolean)
    .join(" ")
  return [
    "% needs \\usepackage{booktabs}",
    "\\begin{table}",
    "  \\centering",
    `  \\begin{tabular}{l${"r".repeat(metrics.length)}}`,
    "    \\toprule",
    `    ${["system", ...metrics.map((name) => escapeLatex(describeMetric(name).label))].join(" & ")} \\\\`,
    "    \\midrule",
    ...lines.map((line) => `    ${line}`),
    "    \\bottomrule",
    "  \\end{tabular}",
    `  \\caption{${caption}}`,
    "\\end{table}",
    "",
  ].join("\n")
}

const replacements: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
}

/** `text` so that LaTeX sets it as it is. */
function escapeLatex(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\~^&%$#_{}]/g, (character) => replacements[character] ?? `\\${character}`)
}
