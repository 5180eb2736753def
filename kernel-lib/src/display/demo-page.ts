// The page that a served student shows: a box to type into, the answer with its confidence, examples to click. Its one small script posts to
// `predict` beside the page and writes what comes back as text, never as markup.
import { pageStyle, wholePage } from "./page"
import { escapeMarkup } from "./svg/picture"

export interface DemoPage {
  /** The student's name. */
  readonly title: string
  readonly instruction: string
  /** Inputs to try. */
  readonly examples: readonly string[]
  /** The nonce of the Content-Security-Policy that the page is sent with; style and script carry it. */
  readonly nonce: string
  /** The training rows that are nearest to an input stand under its answer. */
  readonly showsNearest?: boolean
  /** The server answers only whoever has its key: a field asks for it. */
  readonly asksForKey?: boolean
  /** True where the training rows came from a simulated teacher. */
  readonly isSimulated?: boolean
}

/** The page as HTML, for a policy that allows only the style and the script with this nonce. */
export function renderDemoPage({ title, instruction, examples, nonce, showsNearest, asksForKey, isSimulated = false }: DemoPage): string {
  const marked = ` nonce="${escapeMarkup(nonce)}"`
  const tries = examples.slice(0, 12).map((example) => `<button type="button" class="try" dir="auto">${escapeMarkup(example)}</button>`)
  const body = `<main>
<h1>${escapeMarkup(title)}</h1>
${instruction === "" ? "" : `<p class="lead">${escapeMarkup(instruction)}</p>`}
<form id="ask" data-nearest="${showsNearest ? 3 : 0}">
${asksForKey ? '<p><label for="key">Key of this server</label><input id="key" type="password" autocomplete="off"></p>' : ""}
<label for="input">Input</label>
<textarea id="input" rows="3" dir="auto" autofocus required maxlength="20000" spellcheck="false"></textarea>
<p class="actions"><button type="submit" id="send">Answer</button><span class="mute">Enter answers, Shift+Enter breaks the line</span></p>
</form>
${tries.length === 0 ? "" : `<p class="tries"><span class="mute">Try</span> ${tries.join(" ")}</p>`}
<section aria-live="polite">
<p id="state" class="mute"></p>
<table id="answers" hidden><thead><tr><th>input</th><th>answer</th><th class="n">confidence</th></tr></thead><tbody></tbody></table>
</section>
<footer class="mute"><p>The model runs on this machine; what you type stays here.${isSimulated ? " It learned from rows that a simulated teacher made." : ""}</p>
<p>From a program: <code>POST predict</code> with <code>{"inputs": ["..."]}</code> answers <code>{"predictions": [{"output", "confidence"}]}</code>; OpenAI's clients take this address with <code>v1</code> behind it as their <code>base_url</code></p></footer>
</main>
<script${marked}>${script}</script>`
  return wholePage(title, `<style${marked}>${pageStyle}\n${style}</style>`, body)
}

const style = `body{max-width:760px}.mute{color:var(--p2m-mute)}.lead{white-space:pre-line}label{display:block;color:var(--p2m-mute);margin:0 0 4px}
textarea,#key{box-sizing:border-box;width:100%;padding:9px 11px;border:1px solid var(--p2m-line);border-radius:4px;background:transparent;color:inherit;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace;resize:vertical}
textarea:focus-visible,#key:focus-visible,button:focus-visible{outline:2px solid var(--p2m-link);outline-offset:1px}
.actions{display:flex;gap:14px;align-items:baseline;margin:8px 0 14px}button{font:inherit;cursor:pointer}#send{padding:5px 16px;border:0;border-radius:4px;background:#0072b2;color:#fff}#send:disabled{opacity:.55;cursor:default}
.tries{margin:0 0 22px;line-height:2}.try{border:0;border-bottom:1px solid var(--p2m-line);background:none;color:var(--p2m-link);padding:0;margin:0 14px 0 0;font:12.5px ui-monospace,SFMono-Regular,Menlo,monospace;text-align:start;max-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;vertical-align:baseline}
table{border-collapse:collapse;width:100%}th{font-weight:500;color:var(--p2m-mute);text-align:left;border-bottom:1px solid var(--p2m-line);padding:3px 12px 3px 0}td{padding:6px 12px 6px 0;border-bottom:1px solid var(--p2m-line);vertical-align:top;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}
.n{text-align:right;white-space:nowrap;width:1%}tbody tr:first-child td{font-weight:600}.near td,tbody tr.near td{border-bottom:0;padding:2px 12px 2px 16px;color:var(--p2m-mute);font-weight:400}footer{margin-top:30px;font-size:12.5px}footer p{margin:0 0 4px}code{font:12px ui-monospace,SFMono-Regular,Menlo,monospace}#state{min-height:1.5em;margin:0 0 4px}`

const script = `
const byId = (id) => document.getElementById(id)
const input = byId("input"), send = byId("send"), state = byId("state"), answers = byId("answers")
const addCell = (row, text, name) => { const cell = row.insertCell(); cell.textContent = text; if (name) cell.className = name; return cell }
async function ask() {
  const text = input.value
  if (text === "" || send.disabled) return
  send.disabled = true
  state.textContent = "answering ..."
  try {
    const headers = { "content-type": "application/json" }
    const key = byId("key")
    if (key) headers.authorization = "Bearer " + key.value
    const question = JSON.stringify({ inputs: [text], nearest: Number(byId("ask").dataset.nearest) })
    const response = await fetch("predict", { method: "POST", headers, body: question })
    const body = await response.json()
    if (!response.ok) throw new Error(typeof body.error === "string" ? body.error : "The server answered " + response.status + ".")
    const { output, confidence, nearest = [] } = body.predictions[0]
    const rows = answers.tBodies[0]
    for (const old of [...rows.querySelectorAll(".near")]) old.remove()
    nearest.forEach((one, at) => {
      const row = rows.insertRow(at)
      row.className = "near"
      addCell(row, one.input)
      addCell(row, one.output)
      addCell(row, one.similarity.toFixed(2), "n")
    })
    if (nearest.length > 0) {
      const row = rows.insertRow(0)
      row.className = "near"
      addCell(row, "nearest training rows, and how alike they are").colSpan = 3
    }
    const row = rows.insertRow(0)
    addCell(row, text)
    addCell(row, output === "" ? "(empty)" : output)
    addCell(row, typeof confidence === "number" ? confidence.toFixed(2) : "", "n")
    while (rows.rows.length > 20) rows.deleteRow(-1)
    answers.hidden = false
    state.textContent = ""
  } catch (error) {
    state.textContent = error instanceof TypeError ? "The server does not answer. Is it still running?" : error.message
  } finally {
    send.disabled = false
    input.focus()
  }
}
byId("ask").addEventListener("submit", (event) => { event.preventDefault(); ask() })
input.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask() } })
for (const button of document.querySelectorAll(".try")) button.addEventListener("click", () => { input.value = button.textContent; ask() })
`
