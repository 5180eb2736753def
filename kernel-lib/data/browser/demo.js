// The page's script: loads the model that lies beside the page, answers what is typed, and writes answers as text, never as markup.
import { openExport } from "./answer.js"
import * as ort from "./ort.wasm.min.mjs"
import { Tokenizer } from "./tokenizers.mjs"

const byId = (id) => document.getElementById(id)
const [input, send, state, answers] = ["input", "send", "state", "answers"].map(byId)

// Static hosts do not isolate pages from each other, without which there are no threads.
ort.env.wasm.numThreads = 1
ort.env.wasm.wasmPaths = new URL(".", import.meta.url).href

async function readFile(path) {
  const response = await fetch(new URL(`../${path}`, import.meta.url))
  if (!response.ok) throw new Error(`${path} cannot be loaded (${response.status}): is the whole folder on the server?`)
  return new Uint8Array(await response.arrayBuffer())
}

function addCell(row, text, name) {
  const cell = row.insertCell()
  cell.textContent = text
  if (name) cell.className = name
}

function show(text, { output, confidence }, milliseconds) {
  const body = answers.tBodies[0]
  const row = body.insertRow(0)
  addCell(row, text)
  addCell(row, output === "" ? "(empty)" : output)
  addCell(row, confidence.toFixed(2), "n")
  addCell(row, milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`, "n")
  while (body.rows.length > 20) body.deleteRow(-1)
  answers.hidden = false
}

async function ask(model) {
  const text = input.value
  if (text === "" || send.disabled) return
  send.disabled = true
  state.textContent = "answering ..."
  try {
    // What was just written is painted before the model takes the page's only thread.
    await new Promise((resolve) => setTimeout(resolve))
    const started = performance.now()
    const answer = await model.answer(text)
    show(text, answer, performance.now() - started)
    state.textContent = ""
  } catch (error) {
    state.textContent = error instanceof Error ? error.message : String(error)
  } finally {
    send.disabled = false
    input.focus()
  }
}

try {
  state.textContent = "loading the model ..."
  const model = await openExport({ ort, Tokenizer, readFile, sessionOptions: { executionProviders: ["wasm"] } })
  // For tests, and for whoever likes to call it from the console.
  globalThis.student = model
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault()
    ask(model)
  })
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
    event.preventDefault()
    ask(model)
  })
  for (const button of document.querySelectorAll(".try")) {
    button.addEventListener("click", () => {
      input.value = button.textContent
      ask(model)
    })
  }
  send.disabled = false
  state.textContent = ""
} catch (error) {
  state.textContent = error instanceof Error ? error.message : String(error)
}
