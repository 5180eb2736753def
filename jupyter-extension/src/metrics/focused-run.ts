// The run in focus: its errors and its ablation, read from its folder when somebody stays with it, and read again when it has new ones.
import { trans } from "../settings/language"
import { AblationView, readAblation } from "./ablation-view"
import { type AnsweredRow, type Errors, readErrors, renderErrors } from "./errors-view"
import type { ListedRun } from "./find-runs"
import { findAblations, findReport, type ReportFile } from "./run-details"
import type { RunFiles } from "./run-files"

/** Milliseconds that somebody stays before files are read. */
const staysFor = 200
const mostBytesOfAblation = 32e6

export interface FocusedRunActions {
  /** Something was read. */
  tell(): void
  openRows(rows: readonly AnsweredRow[]): void
}

export class FocusedRun {
  /** The errors, or the sentence that says why there are none; undefined while they are read. */
  errors: Errors | string | undefined
  errorsView: HTMLElement | undefined
  /** The ablation, or the sentence that says why there is none. */
  ablationView: HTMLElement | string = ""
  private readonly ablation = new AblationView()
  private report: ReportFile | undefined
  private key = ""
  private waiting: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly files: RunFiles,
    private readonly actions: FocusedRunActions,
  ) {}

  /** The file that the rows of the report stand in. */
  get rowsFile(): string | undefined {
    return this.report?.rows ?? this.report?.test
  }

  focus(run: ListedRun | undefined): void {
    const key = run ? `${run.path} ${run.at} ${run.status}` : ""
    if (key === this.key) return
    this.key = key
    this.report = undefined
    this.errors = undefined
    this.errorsView = undefined
    this.ablationView = trans.__("Looking for its ablation ...")
    clearTimeout(this.waiting)
    if (run) this.waiting = setTimeout(() => void this.read(run, key), staysFor)
  }

  /** In the colours that the page has now. */
  draw(): void {
    this.ablation.draw()
  }

  dispose(): void {
    this.key = ""
    clearTimeout(this.waiting)
    this.ablation.dispose()
  }

  /** Somebody may go on to another run while this one is read. */
  private async read(run: ListedRun, key: string): Promise<void> {
    const [report, ablation] = await Promise.all([this.readReport(run).catch(sentenceOf), this.readAblation(run).catch(sentenceOf)])
    if (this.key !== key) return
    if (typeof report === "string") this.errors = report
    else {
      this.report = report.file
      this.errors = report.errors
      this.errorsView = renderErrors(report.errors, run.run, this.actions.openRows)
    }
    if (typeof ablation === "string") this.ablationView = ablation
    else {
      this.ablation.show(ablation, run.run)
      this.ablationView = this.ablation.node
    }
    this.actions.tell()
  }

  private async readReport({ path }: ListedRun): Promise<{ readonly file: ReportFile; readonly errors: Errors } | string> {
    const file = await findReport(this.files, path)
    return file ? { file, errors: readErrors(await this.files.readJson(file.report)) } : trans.__("It has no evaluation yet.")
  }

  private async readAblation({ path }: ListedRun) {
    const [newest] = await findAblations(this.files, path)
    if (newest === undefined) return trans.__("This run has no ablation: ablate() puts one into its folder.")
    return readAblation(await this.files.readJson(newest, mostBytesOfAblation))
  }
}

function sentenceOf(error: unknown): string {
  return trans.__("Its files cannot be read: %1", (error as Error).message)
}
