// The result of exportStudent: a bundle on disk with its certificate.
import { relative } from "node:path"
import { payloadVersion, previewCharacters, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { countOf, formatCount, formatScore } from "../../display/wording"
import { metricNamed } from "../../measures/metrics"
import type { ExportFormat } from "../../students/export"
import type { Certificate, CertifiedSystem } from "./certificate"

export interface ExportedFile {
  /** In the bundle, with forward slashes. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

/** An export as plain data, as it is kept in the bundle's `export.json`. */
export interface ExportData {
  readonly version: number
  /** Of the student, the format and what was compared. */
  readonly fingerprint: string
  readonly format: ExportFormat
  readonly student: { readonly name: string; readonly fingerprint: string; readonly parameters: number; readonly bytes: number }
  readonly files: readonly ExportedFile[]
  /** Undefined where there were no test rows, or nothing here runs the format. */
  readonly certificate?: Certificate
  /** What a reader should know. */
  readonly notes: readonly string[]
}

const brand = Symbol.for("prompt2model.StudentExport")
/** Disagreements that are shown; all of them are in the bundle's `export.json`. */
const mostShown = 10

/** A student as a bundle for other programs. Read-only. */
export class StudentExport {
  readonly [brand] = true
  readonly kind = "studentExport" as const
  readonly status = "done" as const
  readonly format: ExportFormat
  readonly student: ExportData["student"]
  readonly files: readonly ExportedFile[]
  /** How the bundle answers the test rows, beside the student. */
  readonly certificate?: Certificate
  readonly notes: readonly string[]
  readonly fingerprint: string

  constructor(
    data: ExportData,
    /** Where the bundle lies. */
    readonly folder: string,
  ) {
    this.format = data.format
    this.student = data.student
    this.files = data.files
    this.certificate = data.certificate
    this.notes = data.notes
    this.fingerprint = data.fingerprint
    Object.freeze(this)
  }

  /** Size of all files that hold weights. */
  get weightBytes(): number {
    return sumWeights(this.files)
  }

  /** `onnx-int8, 2.9 MB (27% of the student), 255 of 256 answers the same`. */
  get summary(): string {
    const { certificate, weightBytes, student } = this
    const size = `${this.format}, ${formatBytes(weightBytes)} (${Math.round((100 * weightBytes) / student.bytes)}% of the student)`
    const agreement = certificate ? `${describeAgreement(certificate)} answers the same` : "not compared with the student"
    return `${size}, ${agreement}`
  }

  toJSON() {
    const { kind, format, folder, student, files, certificate, notes, fingerprint } = this
    return { kind, format, folder, student, files, certificate, notes, fingerprint }
  }

  /** What it shows of itself. */
  toPayload(): TablePayload {
    const { certificate, student, format, weightBytes, notes } = this
    const metrics = certificate?.metrics.map(metricNamed) ?? []
    const describe = (name: string, bytes: number, system: CertifiedSystem | undefined, agreement: string) => ({
      cells: [
        name,
        agreement,
        ...metrics.map((metric) => (system ? describeScore(system, metric.name, metric.scale) : "")),
        formatBytes(bytes),
        system ? `${(1000 * system.secondsPerAnswer).toFixed(1)} ms` : "-",
      ],
    })
    return {
      kind: "table",
      version: payloadVersion,
      title: "Export",
      subtitle: `${this.summary}, in ${shortenPath(this.folder)}`,
      columns: [
        { name: "system" },
        { name: "same answers", isNumber: true },
        ...metrics.map(({ label }) => ({ name: `${label} (95% interval)`, isNumber: true })),
        { name: "weights", isNumber: true },
        { name: "one answer", isNumber: true },
      ],
      rows: [
        describe(student.name, student.bytes, certificate?.student, ""),
        { ...describe(format, weightBytes, certificate?.export, certificate ? describeAgreement(certificate) : "-"), isOurs: true },
      ],
      notes: [...describeCertificate(certificate), ...notes],
    }
  }
}
makeSelfShowing(StudentExport.prototype, (result: StudentExport) => result.toPayload())

/** Size of the files that hold weights. */
export function sumWeights(files: readonly ExportedFile[]): number {
  const weights = files.filter(({ name }) => /\.(onnx|safetensors|gguf)$/.test(name))
  return weights.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** `255 of 256` */
export function describeAgreement({ sameTokens, rows }: Certificate): string {
  return `${formatCount(sameTokens)} of ${formatCount(rows)}`
}

export function describeScore({ scores, intervals }: CertifiedSystem, name: string, scale: number): string {
  const { low, high } = intervals[name]
  return `${formatScore(scores[name], scale)} (${formatScore(low, scale)} to ${formatScore(high, scale)})`
}

/** Sentences about what differs. */
function describeCertificate(certificate: Certificate | undefined): string[] {
  if (!certificate) return []
  const { runtime, rows, sameTokens, sameTexts, largestConfidenceDifference: difference, disagreements } = certificate
  const first = `Answered by ${runtime}: ${formatCount(sameTokens)} of ${countOf(rows, "test row")} the same token for token, ${formatCount(sameTexts)} the same text; confidences of equal answers differ by at most ${difference.toPrecision(1)}.`
  const shown = disagreements.slice(0, mostShown).map((one) => {
    const [input, student, other] = [one.input, one.student, one.export].map((text) => JSON.stringify(text.slice(0, previewCharacters / 4)))
    return `Row ${one.row}, ${input}: the student answers ${student}, the export ${other}.`
  })
  const hidden = disagreements.length - shown.length
  return [first, ...shown, ...(hidden > 0 ? [`${formatCount(hidden)} more rows that differ are in export.json.`] : [])]
}

export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`
}

/** A saved notebook is not to tell where on the machine its folder is. */
function shortenPath(folder: string): string {
  const here = relative(process.cwd(), folder)
  return here === "" || here.startsWith("..") ? folder : here
}
