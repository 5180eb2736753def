// Answers of an ONNX bundle on this machine, by the same loop that runs in its page, on onnxruntime-node.
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { EngineError } from "../../core/errors"
import type { Prediction } from "../../core/student"
import { packageFolder } from "../../store/package-folder"

/** A bundle that answers, one input at a time. */
export interface OpenedExport {
  answer(input: string): Promise<Prediction>
  /** Ids of an input, as the bundle's tokenizer gives them and its loop cuts them. */
  encode(input: string): readonly number[]
  dispose(): Promise<void>
}

interface AnswerModule {
  openExport(parts: {
    ort: unknown
    Tokenizer: unknown
    readFile: (path: string) => Promise<Uint8Array>
    sessionOptions: object
  }): Promise<OpenedExport>
}

/** The folder of what runs in a page. */
export function browserFolder(): string {
  return join(packageFolder(), "data", "browser")
}

/** @throws EngineError `engine.onnx-missing` where onnxruntime-node cannot be loaded */
export async function openOnnxBundle(folder: string): Promise<OpenedExport & { readonly version: string }> {
  const { openExport } = (await import(pathToFileURL(join(browserFolder(), "answer.js")).href)) as AnswerModule
  const { Tokenizer } = await import("@huggingface/tokenizers")
  const ort = requireRuntime()
  // Threads that wait busily between steps would take the processor from whatever answers beside the bundle.
  const sessionOptions = { logSeverityLevel: 3, extra: { session: { intra_op: { allow_spinning: "0" } } } }
  const opened = await openExport({ ort, Tokenizer, readFile: (path) => readFile(join(folder, path)), sessionOptions })
  return Object.assign(opened, { version: ort.env.versions.node ?? "" })
}

function requireRuntime(): typeof import("onnxruntime-node") {
  try {
    return createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node")
  } catch (cause) {
    throw new EngineError("engine.onnx-missing", "The export cannot be tried here: run `npm install onnxruntime-node`.", { cause })
  }
}
