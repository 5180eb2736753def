// prompt2model export: a run's student, or a student folder, as a bundle for other programs, with a certificate of how it answers.
import { join } from "node:path"
import { Dataset } from "../core/dataset"
import { InputError } from "../core/errors"
import type { Run } from "../core/run"
import { type ExportFormat, exportStudent } from "../stages/export-student/export-student"
import { parsePrompt } from "../stages/parse-prompt/parse-prompt"
import { exists } from "../store/atomic"
import { ephemeralRun, readRunFile } from "../store/run"
import { loadStudent } from "../students"
import { exportFormats } from "../students/export"
import { engineOption, hubOption, jsonOption, readEngine, readHub, seedOption, signalOfInterrupt, terminalReporter } from "./shared-options"
import { type Command, choiceOption, numberOption, textOption } from "./usage"

export const exportCommand: Command = {
  name: "export",
  subject: "STUDENT_OR_RUN",
  numSubjects: 1,
  summary: "writes a student for other programs, and certifies how it answers",
  options: {
    format: { value: "FORMAT", summary: exportFormats.join(", "), isRequired: true },
    out: { value: "FOLDER", summary: "where the bundle goes (default exports/NAME-FORMAT)" },
    overwrite: { summary: "replaces an export that is there" },
    test: { value: "FILE_OR_FOLDER", summary: "rows that the export answers beside the student (default: the run's own)" },
    metrics: { value: "LIST", summary: "what both are scored by (default exactMatch,chrF++)" },
    page: { summary: "adds demo.html, which answers in the browser; for ONNX formats, needs onnxruntime-web" },
    license: { value: "SPDX", summary: "licence of the bundle, for its card (default other)" },
    hub: hubOption,
    engine: engineOption,
    seed: seedOption,
    json: jsonOption,
  },
  async run(words) {
    const format = choiceOption<ExportFormat>(words, "format", exportFormats, "onnx")
    const [path] = words.subjects
    const place = await findStudent(path)
    const reporter = terminalReporter()
    const signal = signalOfInterrupt(reporter)
    const engine = readEngine(words)
    const student = await loadStudent(place.folder, { engine })
    const run = describeRun(ephemeralRun({ hub: readHub(words), seed: numberOption(words, "seed"), engine, signal, reporter }), place.file)
    const prompt = place.file?.prompt
    const result = await exportStudent(student, format, {
      run,
      folder: textOption(words, "out") ?? (place.file ? join(path, "exports", `${student.name}-${format}`) : undefined),
      overwrite: words.values.overwrite === true,
      page: words.values.page === true,
      license: textOption(words, "license"),
      metrics: textOption(words, "metrics")?.split(","),
      test: await readRows(textOption(words, "test"), place.file && join(path, "datasets", "test.parquet")),
      train: await readRows(undefined, place.file && join(path, "datasets", "train.parquet")),
      spec: typeof prompt === "string" ? await parsePrompt(prompt, { run: ephemeralRun({ signal }) }).catch(() => undefined) : undefined,
    })
    process.stdout.write(words.values.json ? `${JSON.stringify(listMembers(result))}\n` : `${result.folder}\n`)
    return 0
  },
}

/** The student's folder, and run.json where the words name a run. */
async function findStudent(path: string): Promise<{ folder: string; file?: Record<string, unknown> }> {
  if (await exists(join(path, "config.json"))) return { folder: path }
  const file = await readRunFile(path)
  const folder = join(path, "student")
  if (await exists(join(folder, "config.json"))) return { folder, file }
  throw new InputError("run.no-student", `The run ${path} has no student yet: let prompt2model run end first.`)
}

/** A run that tells what the folder of an earlier one says. */
function describeRun(run: Run, file: Record<string, unknown> | undefined): Run {
  return file ? Object.assign(run, { read: async () => file }) : run
}

async function readRows(asked: string | undefined, usual: string | undefined): Promise<Dataset | undefined> {
  if (asked !== undefined) return Dataset.from(asked)
  return usual !== undefined && (await exists(usual)) ? Dataset.from(usual) : undefined
}

/** What `--json` prints: all but the rows that differ, which are in the bundle's export.json. */
function listMembers({ format, folder, weightBytes, files, certificate, notes }: Awaited<ReturnType<typeof exportStudent>>) {
  return {
    ...{ format, folder, bytes: weightBytes, files },
    certificate: certificate && { ...certificate, disagreements: certificate.disagreements.length },
    notes,
  }
}
