// What all results have in common as HTML: the style, a heading with its sentence, tables with rules between rows, and the one next step.
// No script. Without styles (GitHub strips them) plain headings and tables are left.
import { firstCharacters } from "../plain-text"
import { escapeMarkup } from "../svg/picture"
import { formatCount } from "../wording"

// JupyterLab's variables first, then VS Code's, then those of a page of ours, then light. Fills are translucent, so that they need no theme.
// The class is doubled to win over a notebook's own rules for tables and code.
const style = `.p2m.p2m{--ink:var(--jp-content-font-color1,var(--vscode-editor-foreground,var(--p2m-ink,#1f2328)));--mute:var(--jp-content-font-color2,var(--vscode-descriptionForeground,var(--p2m-mute,#656d76)));--line:var(--jp-border-color2,var(--vscode-editorWidget-border,var(--p2m-line,#d8dee4)));--paper:var(--jp-layout-color0,var(--vscode-editor-background,var(--p2m-paper,#fff)));--link:var(--jp-content-link-color,var(--vscode-textLink-foreground,var(--p2m-link,#0072b2)));font:13px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--paper);font-variant-numeric:tabular-nums;max-width:980px;margin:0 0 14px;overflow-wrap:anywhere}
.p2m.p2m header{display:flex;flex-wrap:wrap;gap:0 10px;align-items:baseline;margin:0 0 6px}
.p2m.p2m h4{margin:0;font-size:14px;font-weight:600;color:inherit}.p2m.p2m p{margin:6px 0 0}.p2m.p2m .sub,.p2m.p2m .foot{color:var(--mute)}.p2m.p2m header p{margin:0}
.p2m.p2m table{border-collapse:collapse;width:100%;margin:6px 0 0;border:0;font-size:13px;table-layout:auto;color:inherit;background:none}.p2m.p2m tr,.p2m.p2m tbody tr:nth-child(even),.p2m.p2m tbody tr:hover{background:none}
.p2m.p2m th{font-weight:500;color:var(--mute);text-align:left;border:0;border-bottom:1px solid var(--line);padding:3px 12px 3px 0;vertical-align:bottom;white-space:nowrap}
.p2m.p2m td{padding:4px 12px 4px 0;border:0;border-bottom:1px solid var(--line);vertical-align:top;text-align:left}.p2m.p2m th.n,.p2m.p2m td.n{text-align:right}.p2m.p2m td.n:not(.text){white-space:nowrap}.p2m.p2m th.n:first-child{width:1%}
.p2m.p2m .text{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere}.p2m.p2m .whole{white-space:nowrap}.p2m.p2m p code{font:12px ui-monospace,SFMono-Regular,Menlo,monospace;background:none;color:inherit;padding:0;overflow-wrap:anywhere}
.p2m.p2m .facts{display:flex;flex-wrap:wrap;gap:2px 22px;margin:2px 0 8px;color:var(--mute)}.p2m.p2m .facts b{color:var(--ink);font-weight:600}.p2m.p2m .bare{display:none}
.p2m.p2m .row{display:flex;flex-wrap:wrap;gap:4px 28px;align-items:flex-start;justify-content:space-between}.p2m.p2m img{max-width:100%;height:auto;display:block;background:none}
.p2m.p2m ins{background:rgba(0,158,115,.24);color:inherit;text-decoration:none}.p2m.p2m del{background:rgba(192,57,43,.24);color:inherit;text-decoration:none}.p2m.p2m a{color:var(--link);text-decoration:none}
.p2m.p2m .strip{display:inline-block;vertical-align:middle;margin-right:8px}.p2m.p2m summary{cursor:pointer}.p2m.p2m.line{margin:0;font-size:12px}.p2m.p2m.line p{margin:0}.p2m.p2m.line b{font-weight:500;margin-right:8px}.p2m.p2m .bar{display:inline-block;width:260px;height:4px;background:rgba(138,147,155,.35);vertical-align:middle;margin:0 10px 0 2px}.p2m.p2m .bar i{display:block;height:4px;background:#0072b2}`

/** MathJax, which JupyterLab runs over HTML outputs, would set what stands between two prices as a formula. */
const untypeset = "mathjax_ignore"

/** One result: heading, sentence, and what belongs under them. `parts` are markup already; empty ones are left out. */
export function frame(title: string, subtitle: string, parts: readonly string[]): string {
  const heading = `<header><h4>${escapeMarkup(title)}</h4>${subtitle === "" ? "" : `\n<p class="sub">${escapeMarkup(subtitle)}</p>`}</header>`
  return `<div class="p2m ${untypeset}"><style>${style}</style>\n${[heading, ...parts.filter((part) => part !== "")].join("\n")}\n</div>`
}

/** One quiet line without a heading; markup already. */
export function frameLine(words: string): string {
  return `<div class="p2m line ${untypeset}"><style>${style}</style>\n<p class="sub">${words}</p>\n</div>`
}

export interface Column {
  readonly name: string
  readonly isNumber?: boolean
  /** Text from data: monospace, line breaks kept. */
  readonly isText?: boolean
  /** Never broken over two lines. */
  readonly isWhole?: boolean
}

/** Texts of this length stand on one line. */
const shortText = 36

/** A column of text from data; where all its `texts` are short, none of them is broken. */
export function textColumn(name: string, texts: readonly string[]): Column {
  return { name, isText: true, isWhole: areShort(texts) }
}

/** Whether none of these cells needs to be broken over lines. */
export function areShort(texts: readonly string[]): boolean {
  return texts.every((text) => text.length <= shortText && !text.includes("\n"))
}

/** A table; cells are markup already. `align` beside the class: it is what is left where styles are stripped. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const attributes = ({ isNumber, isText, isWhole }: Column, isHead: boolean) => {
    const names = [...(isNumber ? ["n"] : []), ...(isText && !isHead ? ["text"] : []), ...(isWhole ? ["whole"] : [])]
    return `${names.length > 0 ? ` class="${names.join(" ")}"` : ""}${isNumber ? ' align="right"' : ' align="left"'}`
  }
  const head = columns.map((column) => `<th${attributes(column, true)}>${escapeMarkup(column.name)}</th>`).join("")
  const body = rows.map(
    (cells) => `<tr>${columns.map((column, index) => `<td${attributes(column, false)}>${cells[index] ?? ""}</td>`).join("")}</tr>`,
  )
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table>`
}

/** Figures with what they count; markup already. A dot stands between them where styles are stripped. */
export function facts(items: readonly string[]): string {
  return items.length === 0
    ? ""
    : `<p class="facts">${items.map((item) => `<span>${item}</span>`).join('<span class="bare"> · </span>')}</p>`
}

/** A grey sentence under a table; markup already. */
export function foot(sentences: readonly string[]): string {
  const kept = sentences.filter((sentence) => sentence !== "")
  return kept.length === 0 ? "" : `<p class="foot">${kept.join(" ")}</p>`
}

export function code(text: string): string {
  return `<code>${escapeMarkup(text)}</code>`
}

/** The one next step, as code that can be pasted. */
export function nextStep(step: string | undefined): string {
  return step === undefined || step === "" ? "" : `Next: ${code(step)}`
}

/** Texts longer than this are folded: their beginning is the handle that opens the whole. */
const foldedFrom = 180

/** Text from data: its own direction, nothing in it acts, long text folded. `cutAt` is where the payload cut it, if it did. */
export function dataText(text: string, cutAt?: number): string {
  if (text === "") return '<span class="sub">(empty)</span>'
  const isCut = cutAt !== undefined && text.length >= cutAt
  const whole = `<bdi>${escapeMarkup(text)}</bdi>${isCut ? ` <span class="sub">… first ${formatCount(cutAt)} characters</span>` : ""}`
  if (text.length <= foldedFrom && (text.match(/\n/g)?.length ?? 0) < 6) return whole
  const beginning = firstCharacters(text.replace(/\s+/g, " ").trim(), 110)
  return `<details><summary><bdi>${escapeMarkup(beginning)}</bdi> <span class="sub">…</span></summary>${whole}</details>`
}
