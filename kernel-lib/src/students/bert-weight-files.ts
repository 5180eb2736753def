// Finds an encoder's weights in files: with or without the prefix that a head puts before their names, in old checkpoints with the norms'
// gains and biases as gamma and beta, and with or without the head.
import type { NamedParameters } from "../engine"
import type { BertShape } from "../networks/bert"
import { listBertWeights } from "../networks/bert-weights"
import { drawInitialWeight } from "../networks/initial-weights"
import type { NormalStream } from "./architecture"
import type { WantedWeight, WeightFiles } from "./weight-files"

/** The encoder's weights alone. @throws InputError `weights.incomplete`, `weights.shape`, `weights.damaged` */
export function readBareEncoder(files: WeightFiles, shape: BertShape): Promise<NamedParameters> {
  return files.read(listBertWeights(shape).map((spec) => ({ ...spec, fileNames: listFileNames(spec.name, shape, files) })))
}

/**
 * Every weight; what the files lack of the head is drawn.
 * @throws InputError `weights.incomplete`, `weights.shape`, `weights.damaged`
 */
export async function readEncoderWithHead(
  files: WeightFiles,
  shape: BertShape,
  deviation: number,
  stream: (name: string) => NormalStream,
): Promise<NamedParameters> {
  const specs = listBertWeights(shape, deviation)
  const encoderNames = new Set(listBertWeights({ ...shape, head: { kind: "none" } }).map(({ name }) => name))
  const wanted: WantedWeight[] = specs.map((spec) => ({ ...spec, fileNames: listFileNames(spec.name, shape, files) }))
  const isThere = ({ name, fileNames }: WantedWeight) => encoderNames.has(name) || fileNames!.some((one) => files.has(one))
  const found = await files.read(wanted.filter(isThere))
  return Object.fromEntries(
    specs.map((spec) => [spec.name, found[spec.name] ?? { shape: spec.shape, data: drawInitialWeight(spec, stream(spec.name)) }]),
  )
}

const prefixes = ["bert.", "roberta.", "distilbert.", "mpnet.", "electra."]

function listFileNames(name: string, { prefix }: BertShape, files: WeightFiles): string[] {
  const bare = prefix !== "" && name.startsWith(prefix) ? name.slice(prefix.length) : name
  const isHead = prefix !== "" && bare === name
  const names = isHead ? [name] : [name, bare, ...prefixes.map((one) => `${one}${bare}`)]
  const old = names.map((one) => one.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta"))
  return [...new Set([...names, ...old])].filter((one) => files.has(one) || one === name)
}
