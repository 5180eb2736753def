// The weights of a folder, whatever the files: which there are, and their values by the names and shapes that a network asks for.
import { InputError } from "../core/errors"
import { countNumbers, listWeights, type TensorEntry, WeightReader } from "./safetensors"
import type { WeightSpec } from "./weight-spec"

/** A weight with its values. */
interface WeightValues {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A weight that is asked for, and the names that files may give it, best first. Default: its own. */
export interface WantedWeight extends WeightSpec {
  readonly fileNames?: readonly string[]
}

export class WeightFiles {
  private constructor(
    readonly folder: string,
    private readonly entries: ReadonlyMap<string, TensorEntry>,
  ) {}

  /** @throws InputError `weights.missing`, `weights.damaged` */
  static async open(folder: string): Promise<WeightFiles> {
    return new WeightFiles(folder, await listWeights(folder))
  }

  get names(): readonly string[] {
    return [...this.entries.keys()]
  }

  has(name: string): boolean {
    return this.entries.has(name)
  }

  shapeOf(name: string): readonly number[] | undefined {
    return this.entries.get(name)?.shape
  }

  /**
   * The values of `wanted`, by name and in that order; files are read from their start to their end.
   * @throws InputError `weights.incomplete`, `weights.shape`, `weights.damaged`
   */
  async read(wanted: readonly WantedWeight[]): Promise<Record<string, WeightValues>> {
    const found = wanted.map((weight) => ({ weight, entry: this.find(weight) }))
    const weights: Record<string, WeightValues> = {}
    for (const { weight } of found) weights[weight.name] = { shape: weight.shape, data: new Float32Array(0) }
    const reader = new WeightReader()
    try {
      for (const { weight, entry } of found.sort((a, b) => a.entry.offset - b.entry.offset)) {
        const data = new Float32Array(countNumbers(weight.shape))
        await reader.readInto(entry, data)
        weights[weight.name] = { shape: weight.shape, data }
      }
    } finally {
      await reader.close()
    }
    return weights
  }

  private find({ name, shape, fileNames = [name] }: WantedWeight): TensorEntry {
    const entry = this.entries.get(fileNames.find((one) => this.entries.has(one)) ?? "")
    if (!entry)
      throw new InputError(
        "weights.incomplete",
        `The weights in ${this.folder} have no ${name}, which config.json asks for: the folder's files do not belong together.`,
      )
    if (entry.shape.join() === shape.join()) return entry
    throw new InputError(
      "weights.shape",
      `${name} in ${this.folder} is [${entry.shape.join(", ")}], but config.json asks for [${shape.join(", ")}]: the folder's files do not belong together.`,
    )
  }
}
