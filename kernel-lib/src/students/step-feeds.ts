// What a step is fed beside the caches: tokens, where their keys go, and what each may see.
import type { FlexibleSpec, NamedValues, Size, TensorValue } from "../engine"
import type { DecoderNetwork } from "./decoder"
import { unseen } from "./source-feeds"

/** How the rows of a batch lie in its caches. */
export interface StepLayout {
  readonly network: DecoderNetwork
  readonly rows: number
  readonly beams: number
  /** Slots before the first new token's: a prompt's own, where it has some. */
  readonly promptSlots: number
  /** Places of new tokens; each has a slot for each beam. */
  readonly places: number
  readonly sourceLength: number
  /** Tokens of each row's source; rows beyond are idle. */
  readonly lengths: readonly number[]
}

export interface StepTokens {
  /** The last token of each row and beam. */
  readonly tokens: readonly number[]
  /** How many tokens were fed before, of those that are not the prompt's. */
  readonly place: number
  /** With several beams: for each row and beam, the beam that fed each earlier place. */
  readonly ancestors?: readonly (readonly number[])[]
}

/** The inputs of `network.step` but the caches; `slots` as [B, H*W, 3]. */
export function listStepFeeds(layout: StepLayout, { tokens, place, ancestors }: StepTokens): Record<string, TensorValue> {
  const { network, rows, beams, promptSlots, places, sourceLength, lengths } = layout
  const slots = promptSlots + places * beams
  const inputTokens = new Int32Array(rows * beams)
  inputTokens.set(tokens)
  const feeds: Record<string, TensorValue> = {
    tokens: { shape: [rows, beams], data: inputTokens },
    slots: { shape: [rows, network.numHeads * beams, 3], data: nextSlots(layout, place) },
    slotMask: sharesMask(network, beams)
      ? { shape: [1, 1, 1, slots], data: new Float32Array(slots).fill(unseen, place + 1) }
      : { shape: [rows, 1, beams, slots], data: slotMask(layout, place, ancestors) },
  }
  if (network.kind === "decoder-only") {
    const positions = Int32Array.from(inputTokens, (_, i) => (lengths[Math.floor(i / beams)] ?? 0) + place)
    return { ...feeds, positions: { shape: [rows, beams], data: positions } }
  }
  const mask = new Float32Array(rows * sourceLength)
  lengths.forEach((length, row) => {
    mask.fill(1, row * sourceLength, row * sourceLength + length)
  })
  feeds.inputMask = { shape: [rows, sourceLength], data: mask }
  const { bucketDistance } = network
  if (bucketDistance) {
    const buckets = Int32Array.from({ length: slots }, (_, slot) => bucketDistance(Math.floor(slot / beams) - place, false))
    feeds.slotBuckets = { shape: [slots], data: buckets }
  }
  return feeds
}

/** What a graph of the step for `beams` beams leaves open in these feeds: rows, slots and the length of sources. */
export function describeStepFeeds(feeds: NamedValues, network: DecoderNetwork, beams: number): Record<string, FlexibleSpec> {
  const shapeOf = (name: string): Size[] => {
    if (name === "tokens" || name === "positions") return ["rows", beams]
    if (name === "slots") return ["rows", network.numHeads * beams, 3]
    if (name === "slotMask") return sharesMask(network, beams) ? [1, 1, 1, "slots"] : ["rows", 1, beams, "slots"]
    if (name === "inputMask") return ["rows", "source"]
    if (name === "slotBuckets") return ["slots"]
    return ["rows", network.numHeads, name.startsWith("cross") ? "source" : "slots", network.headSize]
  }
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { data }]) => [
      name,
      { shape: shapeOf(name), dtype: data instanceof Int32Array ? "int32" : "float32" },
    ]),
  )
}

/** Without prompts in the cache and without beams, all rows see the same slots. */
function sharesMask(network: DecoderNetwork, beams: number): boolean {
  return network.kind === "encoder-decoder" && beams === 1
}

/** int32 [rows, heads * beams, 3] */
function nextSlots({ network: { numHeads }, rows, beams, promptSlots }: StepLayout, place: number): Int32Array {
  const slots = new Int32Array(rows * numHeads * beams * 3)
  for (let i = 0, row = 0; row < rows; row++) {
    for (let head = 0; head < numHeads; head++) {
      for (let beam = 0; beam < beams; beam++) {
        slots[i++] = row
        slots[i++] = head
        slots[i++] = promptSlots + place * beams + beam
      }
    }
  }
  return slots
}

/** For each row and beam its prompt's slots, its ancestors' and its own. */
function slotMask(layout: StepLayout, place: number, ancestors?: readonly (readonly number[])[]): Float32Array {
  const { network, rows, beams, promptSlots, places, lengths } = layout
  const slots = promptSlots + places * beams
  const mask = new Float32Array(rows * beams * slots).fill(unseen)
  lengths.forEach((length, row) => {
    for (let beam = 0; beam < beams; beam++) {
      const at = (row * beams + beam) * slots
      if (network.kind === "decoder-only") mask.fill(0, at, at + length)
      for (let earlier = 0; earlier < place; earlier++) {
        mask[at + promptSlots + earlier * beams + (ancestors?.[row * beams + beam][earlier] ?? 0)] = 0
      }
      mask[at + promptSlots + place * beams + beam] = 0
    }
  })
  return mask
}
