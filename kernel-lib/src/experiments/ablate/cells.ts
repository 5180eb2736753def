// The cells of an ablation: every combination of a grid, or a list; each with a name by what it differs in.
import { InputError } from "../../core/errors"
import { stableJson } from "../../core/fingerprint"
import { type CellPlan, describeValue, type PlanDefaults, planCell, type Switches } from "./switches"

/** For each switch the values to try: `{ annealing: [true, false], numExamples: [100, 500] }`. */
export type Grid = { readonly [Name in keyof Switches]?: readonly NonNullable<Switches[Name]>[] }

/** A cell of one's own making, with a name if it is to have one. */
export type CellChoice = Switches & { readonly name?: string }

export interface Cell {
  /** The name that was given, or the values of the switches in which cells differ. */
  readonly name: string
  readonly switches: Switches
  readonly plan: CellPlan
}

/**
 * All cells in the grid's order, the last switch changing fastest, or those of the list.
 * @throws InputError `ablate.no-cells`, `ablate.same-cell`, and those of `planCell`
 */
export function listCells({ grid, cells }: { grid?: Grid; cells?: readonly CellChoice[] }, defaults: PlanDefaults): Cell[] {
  if ((grid === undefined) === (cells === undefined))
    throw new InputError("ablate.no-cells", "Give either grid, the values of each switch, or cells, a list of switches.")
  const chosen: readonly CellChoice[] = cells ?? expandGrid(grid!)
  if (chosen.length === 0) throw new InputError("ablate.no-cells", "There is no cell to run: give every switch at least one value.")
  const varying = varyingSwitches(chosen)
  const listed = chosen.map(({ name, ...switches }) => ({
    name: name ?? nameCell(varying, switches),
    switches,
    plan: planCell(switches, defaults),
  }))
  const known = new Set<string>()
  for (const { name, plan } of listed) {
    for (const mark of [`name ${name}`, stableJson(plan)]) {
      if (known.has(mark)) throw new InputError("ablate.same-cell", `Two cells are the same, or have one name: ${name}. Leave one out.`)
      known.add(mark)
    }
  }
  return listed
}

/** The values of the switches in which cells differ: `both, annealing off`. */
export function nameCell(varying: readonly (keyof Switches)[], switches: Switches): string {
  return varying.map((key) => describeSwitch(key, switches[key])).join(", ") || "as it is"
}

/** Switches that have more than one value over the cells, in order of appearance. */
export function varyingSwitches(cells: readonly Switches[]): (keyof Switches)[] {
  const names = [...new Set(cells.flatMap((cell) => Object.keys(cell)))].filter((name) => name !== "name") as (keyof Switches)[]
  return names.filter((name) => new Set(cells.map((cell) => stableJson(cell[name]))).size > 1)
}

/** The cell that the others are compared with: by name, by its switches, or the first one. */
export function findReference(cells: readonly Cell[], reference: string | Switches | undefined): Cell {
  if (reference === undefined) return cells[0]
  const found = cells.find(({ name, switches }) =>
    typeof reference === "string"
      ? name === reference
      : Object.entries(reference).every(([key, value]) => stableJson(switches[key as keyof Switches]) === stableJson(value)),
  )
  if (found) return found
  throw new InputError("ablate.no-such-reference", `No cell is the reference: choose one of ${cells.map(({ name }) => name).join("; ")}.`)
}

function expandGrid(grid: Grid): Switches[] {
  let cells: Switches[] = [{}]
  for (const [name, values] of Object.entries(grid)) {
    if (values === undefined) continue
    if (!Array.isArray(values))
      throw new InputError("ablate.switch-value", `The grid's switch ${name} needs a list of values: ${name}: [${JSON.stringify(values)}].`)
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value })))
  }
  return cells
}

function describeSwitch(name: string, value: unknown): string {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return typeof value === "string" && name === "source" ? value : `${words} ${describeValue(value)}`
}
