// The page of an exported student: the same look as a served one, but the model answers in the page. Markup only; its script, its style and
// the model lie beside it, and its policy lets it load nothing from anywhere else and send nothing at all.
import { wholePage } from "./page"
import { escapeMarkup } from "./svg/picture"

export interface BrowserDemoPage {
  /** The student's name. */
  readonly title: string
  readonly instruction: string
  /** Inputs to try. */
  readonly examples: readonly string[]
  /** A sentence about how its answers compare with the student's. */
  readonly certificate?: string
  /** Size of the files with weights, as people read it. */
  readonly size: string
}

const policy = [
  "default-src 'none'",
  // WebAssembly needs a word of its own; scripts made of text stay forbidden.
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ")

export function renderBrowserDemoPage({ title, instruction, examples, certificate, size }: BrowserDemoPage): string {
  const tries = examples.slice(0, 12).map((example) => `<button type="button" class="try" dir="auto">${escapeMarkup(example)}</button>`)
  const body = `<main>
<h1>${escapeMarkup(title)}</h1>
${instruction === "" ? "" : `<p class="lead">${escapeMarkup(instruction)}</p>`}
<form id="ask">
<label for="input">Input</label>
<textarea id="input" rows="3" dir="auto" autofocus required maxlength="20000" spellcheck="false"></textarea>
<p class="actions"><button type="submit" id="send" disabled>Answer</button><span class="mute">Enter answers, Shift+Enter breaks the line</span></p>
</form>
${tries.length === 0 ? "" : `<p class="tries"><span class="mute">Try</span> ${tries.join(" ")}</p>`}
<section aria-live="polite">
<p id="state" class="mute">Put this folder on a web server (<code>npx serve</code>, <code>python -m http.server</code>) and open the page from there: browsers let no page read a model from the disk.</p>
<table id="answers" hidden><thead><tr><th>input</th><th>answer</th><th class="n">confidence</th><th class="n">time</th></tr></thead><tbody></tbody></table>
</section>
<footer class="mute"><p>The model (${escapeMarkup(size)}) was loaded with this page and answers in it: what you type is sent nowhere.</p>
${certificate === undefined ? "" : `<p>${escapeMarkup(certificate)}</p>`}</footer>
</main>
<script type="module" src="demo/demo.js"></script>`
  const head = `<meta http-equiv="Content-Security-Policy" content="${escapeMarkup(policy)}">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="demo/demo.css">`
  return wholePage(title, head, body)
}
