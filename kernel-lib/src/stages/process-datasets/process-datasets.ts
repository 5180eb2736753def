// processDatasets: retrieved, generated and own rows in, train, validation and test rows out, and no row of one repeats a row of another.
//
// When rows repeat each other is `measures/near-duplicates.ts`'s rule. Rows that do are kept together where rows are split, and taken out
// of train and validation where they repeat a test set that is given, or a demonstration of the prompt. A test set that is given stays as
// it is. Which row goes where depends on the seed and on what the rows say, and not on the order in which they come.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Dataset, type RejectedRow } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { NearDuplicateIndex } from "../../measures/near-duplicates"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage } from "../../store/define-stage"
import { readDataset, writeDataset } from "../../store/tables"
import { findLeaks, type Leak } from "./find-leaks"
import { type KeyedRow, mergeSources, type Sources, type Weights, weighSources } from "./merge-sources"
import { type Proportions, splitRows } from "./split-rows"
import { type LeakReport, Splits } from "./splits"

export { type LeakReport, Splits }

export interface ProcessDatasetsOptions extends StageInlineOptions {
  /** The prompt: rows that repeat its demonstrations are taken out. */
  readonly spec?: PromptSpec
  /** A test set of one's own. It is never changed; rows that repeat its rows are taken out of train and validation. */
  readonly test?: Dataset
  /** Shares of the splits. Default 0.8, 0.1, 0.1, as upstream; with `test` given, train and validation share in proportion. */
  readonly proportions?: Partial<Proportions>
  /** Shares of the sources, e.g. `{ retrieved: 1, generated: 3 }`: as many rows are used as have these shares. Default: all rows. */
  readonly weights?: Weights
  /** Most rows to split, a test set that is given not counted. Default: all. */
  readonly maxRows?: number
}

const defaultProportions: Proportions = { train: 0.8, validation: 0.1, test: 0.1 }

const rule =
  "Inputs are the same when only case, sentence punctuation or white space differs; near when both have 80 characters or more, the same numbers, and share 80% of their five-character shingles."

/**
 * Merges rows and splits them without a leak. Rows that are in no split are `splits.rejected`, each with its reason: `duplicate`,
 * `leak: same as a test row`, `leak: near a test row`, `leak: same as a demonstration`, `leak: near a demonstration`, `above the cap`.
 *
 * @throws InputError `splits.no-rows`, `splits.nothing-left`, `splits.proportions`, `splits.weights`, `splits.max-rows`
 *
 * @example
 * const own = Dataset.from(Array.from({ length: 20 }, (_, day) => ({ input: `May ${day + 1}, 1999`, output: `1999-05-${day + 1}` })))
 * const splits = await processDatasets({ own }, { seed: 7 })
 * splits.test.length // 2
 */
export const processDatasets = defineStage<Sources, ProcessDatasetsOptions, Splits>({
  name: "processDatasets",
  version: 1,
  uses: ["seed"],
  key: ({ own, retrieved, generated }, { spec, test, proportions, weights, maxRows }) => ({
    ...{ own: own?.fingerprint, retrieved: retrieved?.fingerprint, generated: generated?.fingerprint },
    ...{ spec: spec?.fingerprint, test: test?.fingerprint, proportions, weights, maxRows },
  }),
  async work(sources, options, { run, record }) {
    const splits = splitWithoutLeak(sources, { ...options, seed: run.seed })
    record({
      type: "splits.made",
      train: splits.train.length,
      validation: splits.validation.length,
      test: splits.test.length,
      leak: splits.leak,
    })
    return splits
  },
  async save({ train, validation, test, leak, prompt }, folder) {
    for (const [name, rows] of Object.entries({ train, validation, test })) await writeDataset(rows, join(folder, `${name}.parquet`))
    await writeFileAtomically(join(folder, "splits.json"), `${JSON.stringify({ leak, prompt }, null, 2)}\n`)
  },
  async load(folder) {
    const [train, validation, test] = await Promise.all(
      ["train", "validation", "test"].map((name) => readDataset(join(folder, `${name}.parquet`))),
    )
    return new Splits({ train, validation, test, ...JSON.parse(await readFile(join(folder, "splits.json"), "utf8")) })
  },
  summarize: (splits) => splits.summary,
})

/** The work of processDatasets, without a run. */
export function splitWithoutLeak(sources: Sources, options: Omit<ProcessDatasetsOptions, "run"> & { readonly seed: number }): Splits {
  const { spec, test, weights, maxRows, seed } = options
  if (maxRows !== undefined && !(Number.isInteger(maxRows) && maxRows > 0)) {
    throw new InputError("splits.max-rows", `maxRows is a whole number above 0, not ${maxRows}: leave it out to use all rows.`)
  }
  const demonstrations = spec?.demonstrations ?? []
  const merged = mergeSources(sources, seed)
  if (merged.rows.length === 0) {
    throw new InputError("splits.no-rows", "There are no rows to split: give retrieved, generated or own a dataset that has rows.")
  }
  const { clean, leaks, hasOneForm } = findLeaks(merged.rows, { test, demonstrations })
  if (clean.length === 0) {
    throw new InputError(
      "splits.nothing-left",
      `All ${merged.rows.length} rows repeat the test rows or the demonstrations, so there is nothing to learn from: give more rows, or another test set.`,
    )
  }
  const weighed = weighSources(clean, { weights, maxRows })
  const proportions = { ...defaultProportions, ...options.proportions, ...(test ? { test: 0 } : {}) }
  const split = splitRows(weighed.rows, proportions)
  const rejected: RejectedRow[] = [
    ...merged.rejected,
    ...leaks.map(({ row, reason, detail }) => ({ ...row.row, reason, detail })),
    ...weighed.left.map(({ row }) => ({ ...row, reason: "above the cap" })),
  ]
  return new Splits({
    train: datasetOf(split.train, "train", rejected),
    validation: datasetOf(split.validation, "validation"),
    test: test ?? datasetOf(split.test, "test"),
    leak: describeLeaks({ leaks, test, demonstrations, numFamilies: split.numFamilies, hasOneForm: hasOneForm || split.hasOneForm }),
    prompt: spec && { instruction: spec.instruction, demonstrations: spec.demonstrations },
  })
}

function datasetOf(rows: readonly KeyedRow[], name: string, rejected?: readonly RejectedRow[]): Dataset {
  return Dataset.from(
    rows.map(({ row }) => row),
    { name, rejected },
  )
}

function describeLeaks(found: {
  leaks: readonly Leak[]
  test?: Dataset
  demonstrations: PromptSpec["demonstrations"]
  numFamilies: number
  hasOneForm: boolean
}): LeakReport {
  const counts = new Map<string, number>()
  for (const { reason } of found.leaks) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const index = new NearDuplicateIndex()
  for (const { input } of found.demonstrations) index.add(input)
  const keptInTest = (found.test?.inputs ?? []).filter((input) => index.find(input)).length
  const notes: string[] = []
  if (keptInTest > 0) notes.push(`${keptInTest} of the given test rows repeat demonstrations of the prompt`)
  if (found.hasOneForm) notes.push("Most rows are variations of one form, so only equal inputs were kept apart")
  return {
    removed: [...counts].map(([reason, rows]) => ({ reason, against: reason.endsWith("test row") ? "test" : "demonstrations", rows })),
    keptInTest,
    numFamilies: found.numFamilies,
    rule,
    notes,
  }
}
