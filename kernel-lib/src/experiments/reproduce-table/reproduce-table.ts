// reproduceTable: from the authors' stored predictions, the numbers of the paper that they can give, and why the others are not there.
import { InputError } from "../../core/errors"
import { openArtifacts } from "./artifacts"
import { rankSystems } from "./rank-systems"
import type { ReproducedTable } from "./reproduced-table"
import { tabulateAnnealing } from "./tabulate-annealing"
import { tabulateSquad, tabulateTask } from "./tabulate-task"

const tables = {
  temporal: (artifacts) => tabulateTask("temporal", "normalization", artifacts),
  mconala: (artifacts) => tabulateTask("mconala", "jp2python", artifacts),
  squad: tabulateSquad,
  annealing: tabulateAnnealing,
  ranking: rankSystems,
} as const satisfies Readonly<Record<string, (artifacts: Awaited<ReturnType<typeof openArtifacts>>) => Promise<ReproducedTable>>>

export type TableName = keyof typeof tables

/** The tables that can be asked for. */
export const tableNames = Object.keys(tables) as readonly TableName[]

/**
 * Recomputes a table of the paper from the authors' artefacts.
 *
 * - `temporal`, `mconala`: the teacher and the students on the real test
 * - `squad`: the published numbers by source of data, and which of them can be recomputed
 * - `annealing`: annealed or constant temperature, with and without voting
 * - `ranking`: do generated tests put students into the order that real tests do?
 * @param artifacts a folder laid out as github.com/zhaochenyang20/prompt2model_test
 * @throws InputError `reproduce.unknown-table`, `reproduce.no-artifacts`
 */
export async function reproduceTable(name: TableName, { artifacts }: { readonly artifacts: string }): Promise<ReproducedTable> {
  if (!Object.hasOwn(tables, name))
    throw new InputError("reproduce.unknown-table", `There is no table ${name}: choose from ${tableNames.join(", ")}.`)
  return tables[name](await openArtifacts(artifacts))
}
