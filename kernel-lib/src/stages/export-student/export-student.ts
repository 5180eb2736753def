// exportStudent: a student in, a bundle for other programs out, with a certificate of how its answers compare with the student's.
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join, relative, resolve, sep } from "node:path"
import { pipeline } from "node:stream/promises"
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import { exists, placeAtomically } from "../../store/atomic"
import { defineStage, type StageContext } from "../../store/define-stage"
import { fillTemplate, type LoadedStudent } from "../../students"
import { checkFormat, type ExportFormat, openBundle, writeBundle } from "../../students/export"
import { type CardFacts, type CardOptions, findSplits, gatherFacts } from "./card-facts"
import { type Certificate, certify } from "./certificate"
import { writeModelCard } from "./model-card"
import { describeAgreement, type ExportData, type ExportedFile, formatBytes, StudentExport, sumWeights } from "./student-export"
import { writePage } from "./write-page"

export type { Certificate, CertifiedSystem, Disagreement } from "./certificate"
export type { ExportedFile } from "./student-export"
export { type ExportFormat, StudentExport }

export interface ExportStudentOptions extends StageInlineOptions, CardOptions {
  /** Default `exports/NAME-FORMAT`, in the run's folder where it has one. */
  readonly folder?: string
  /** Replaces an export that is there. Anything else that is there stays, and is refused. */
  readonly overwrite?: boolean
  /** Rows that the export answers beside the student. Default: the test rows that the run split. */
  readonly test?: Dataset
  /** What both are scored by. Default exactMatch and chrF++. */
  readonly metrics?: readonly string[]
  /** Puts a page into an ONNX bundle that answers in the browser; needs onnxruntime-web. Default false. */
  readonly page?: boolean
}

/** In each bundle: what the export is, with its certificate. */
const exportFile = "export.json"
const exportVersion = 1

/**
 * Writes a student as a bundle for other programs: weights, tokenizer, prompt template, generation configuration, a model card, hashes. Where
 * there are test rows, the bundle answers them beside the student before it is put in place, and the certificate says what agrees.
 *
 * `huggingface` loads in Python's transformers; `onnx` and `onnx-int8` in transformers.js and in ONNX Runtime, and with `page` in a browser;
 * `gguf` (halves) and `gguf-q8_0` (8 bits), of students of the Llama family, in llama.cpp and Ollama.
 *
 * @throws InputError `export.format`, `export.family`, `export.span`, `export.tokenizer`, `export.too-large`, `export.exists`, `export.page`,
 *   `export.no-onnxruntime-web`, `student.foreign`, `disk.*`; EngineError `engine.onnx-missing`; InterruptedError
 *
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
 * const exported = await exportStudent(base, "onnx", { folder: "exported" })
 * exported.files.map(({ name }) => name)
 */
export async function exportStudent(student: Student, format: ExportFormat, options: ExportStudentOptions = {}): Promise<StudentExport> {
  const known = checkFormat(format)
  if (options.page && !known.startsWith("onnx"))
    throw new InputError("export.page", "A page needs an ONNX bundle to answer with: export as onnx or onnx-int8.")
  return exportStage({ student, format: known }, options)
}

interface Subject {
  readonly student: Student
  readonly format: ExportFormat
}

const exportStage = defineStage<Subject, ExportStudentOptions, StudentExport>({
  name: "exportStudent",
  version: 1,
  uses: ["seed"],
  key: ({ student, format }, { test, metrics, page, license, baseModel, spec, train }) => ({
    ...{ student: student.fingerprint, format, test: test?.fingerprint, metrics, page, license, baseModel },
    ...{ instruction: spec?.instruction, train: train?.fingerprint },
  }),
  async work(subject, options, context) {
    const folder = resolve(options.folder ?? defaultFolder(subject, context.run.folder))
    const splits = options.test ? undefined : await findSplits(context.run)
    const test = options.test ?? splits?.test
    const fingerprint = fingerprintOf([context.fingerprint, test?.fingerprint])
    const there = await readExport(folder)
    if (there?.fingerprint === fingerprint && !options.overwrite) return new StudentExport(there, folder)
    await refuseOther(folder, there !== undefined, options.overwrite === true)
    let data: ExportData | undefined
    await placeAtomically(folder, async (temporary) => {
      data = await fillBundle({ ...subject, fingerprint, test, folder: temporary }, options, context)
    })
    return new StudentExport(data!, folder)
  },
  summarize: (result) => result.summary,
})

/** A name that stays one part of a path, whatever the student is called. */
function defaultFolder({ student, format }: Subject, runFolder: string | undefined): string {
  const name = student.name.replace(/[^\w.-]+/g, "-").replace(/^[.-]+/, "") || "student"
  return join(runFolder ?? "", "exports", `${name}-${format}`)
}

/** @throws InputError `export.exists`: nothing but an export is ever replaced */
async function refuseOther(folder: string, isExport: boolean, overwrite: boolean): Promise<void> {
  if (isExport && overwrite) return
  if (!(await exists(folder))) return
  const entries = await readdir(folder).catch(() => [""])
  if (entries.length === 0) return
  const remedy = isExport ? "replace it with overwrite (--overwrite), or choose another folder" : "choose another folder"
  throw new InputError("export.exists", `${folder} holds ${isExport ? "another export" : "something that is no export"}: ${remedy}.`)
}

async function readExport(folder: string): Promise<ExportData | undefined> {
  try {
    const data = JSON.parse(await readFile(join(folder, exportFile), "utf8")) as ExportData
    return data.version === exportVersion && typeof data.fingerprint === "string" && Array.isArray(data.files) ? data : undefined
  } catch {
    return undefined
  }
}

interface Bundle extends Subject {
  readonly fingerprint: string
  readonly test: Dataset | undefined
  readonly folder: string
}

async function fillBundle(bundle: Bundle, options: ExportStudentOptions, context: StageContext): Promise<ExportData> {
  const { student, format, folder, fingerprint } = bundle
  const notes = await writeBundle(student, format, folder)
  const facts = await gatherFacts(options, context.run)
  const { certificate, note } = await tryBundle(bundle, options, context)
  const weights = sumWeights(await listFiles(folder))
  if (options.page) await writePage(folder, describePage(student, facts, certificate, weights))
  const files = await listFiles(folder)
  const data: ExportData = {
    version: exportVersion,
    fingerprint,
    format,
    student: { name: student.name, fingerprint: student.fingerprint, parameters: student.parameters, bytes: student.bytes },
    files,
    certificate,
    notes: [...notes, ...(note === undefined ? [] : [note])],
  }
  const { template, history } = student as LoadedStudent
  const { architectures } = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as { architectures: readonly string[] }
  const card = {
    data,
    facts,
    architecture: student.architecture,
    modelClass: String(architectures[0]),
    template: fillTemplate(template, "{input}"),
    history,
    hasPage: options.page === true,
  }
  await writeFile(join(folder, "README.md"), writeModelCard(card))
  await writeFile(join(folder, "SHA256SUMS"), files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(""))
  await writeFile(join(folder, exportFile), `${JSON.stringify(data, null, 2)}\n`)
  context.record({ type: "export.done", format, bytes: weights, certificate: certificate && { ...certificate, disagreements: undefined } })
  return data
}

/** The certificate, or why there is none. */
async function tryBundle(
  { student, format, folder, test }: Bundle,
  { metrics = ["exactMatch", "chrF++"] }: ExportStudentOptions,
  { run, signal, progress }: StageContext,
): Promise<{ certificate?: Certificate; note?: string }> {
  if (test === undefined || test.length === 0)
    return { note: "Its answers were not compared with the student's: there were no test rows (give them as test, or --test)." }
  const opened = await openBundle(student, format, folder)
  try {
    const onProgress = (done: number) => progress({ done, total: test.length, unit: "rows", note: "answering beside the student" })
    return { certificate: await certify(student, opened, test, { metrics, seed: run.seed, signal, onProgress }) }
  } finally {
    await opened.dispose()
  }
}

function describePage(student: Student, facts: CardFacts, certificate: Certificate | undefined, weights: number) {
  return {
    title: student.name,
    instruction: facts.instruction ?? "",
    examples: facts.examples,
    size: formatBytes(weights),
    certificate:
      certificate && `It answers ${describeAgreement(certificate)} test rows token for token as the student that it was exported from.`,
  }
}

/** All files of a folder with their hashes, by name. */
async function listFiles(folder: string): Promise<ExportedFile[]> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  return Promise.all(
    names.map(async (path) => {
      const hash = createHash("sha256")
      await pipeline(createReadStream(path), hash)
      return { name: relative(folder, path).split(sep).join("/"), bytes: (await stat(path)).size, sha256: hash.digest("hex") }
    }),
  )
}
