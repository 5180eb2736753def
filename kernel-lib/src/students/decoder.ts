// What decoding needs of a network family. A family gives plain tfjs functions of named inputs; sizes that vary from batch to batch are
// taken from the inputs' shapes, and no constant may depend on them, since one graph may serve all sizes.
//
// In shapes: B rows, S source or prompt tokens, H heads of keys and values, K numbers a head, V vocabulary, L layers, W beams, Z cache
// slots of a row.
import type { ForwardFunction } from "../engine"

interface CachedNetwork {
  /** For error messages: `t5`. */
  readonly name: string
  readonly vocabularySize: number
  /** L: layers with a key-value cache. */
  readonly numLayers: number
  /** H: heads in the cache; with grouped queries fewer than the queries'. */
  readonly numHeads: number
  /** K */
  readonly headSize: number
  /**
   * One step of B rows with W beams each. The beams of a row share its cache, where each writes a slot of its own and sees the slots that
   * `slotMask` lets it; so a beam that goes on from another moves nothing. Keys and values go in with `scatterRows`, and only what that
   * answers may be read.
   *
   * Inputs of both kinds: tokens int32 [B,W]; slots int32 [B*H*W, 3], where in [B,H,Z] each new key goes; slotMask float32 (0, or very
   * negative) that broadcasts to [B,H,W,Z]; key0, value0 ... [B,H,Z,K]. An encoder-decoder's also: inputMask float32 [B,S] (1 where
   * there is a token); crossKey0, crossValue0 ... [B,H,S,K]; slotBuckets int32 [Z] where the network has `bucketDistance`. A
   * decoder-only's also: positions int32 [B,W], counted from 0 at the prompt's first token.
   *
   * Results: logits [B*W,V]; nextKey0, nextValue0 ... the caches with the new rows.
   */
  readonly step: ForwardFunction
}

/** A network whose encoder reads the whole source before the decoder writes. */
export interface EncoderDecoder extends CachedNetwork {
  readonly kind: "encoder-decoder"
  /**
   * What the decoder needs of sources, computed once.
   *
   * Inputs: inputIds int32 [B,S], padded on the right; inputMask float32 [B,S]; sourceBuckets int32 [S*S], the bucket of each query's
   * distance to each key, where the network has `bucketDistance`. Results: crossKey0, crossValue0 ... [B,H,S,K].
   */
  readonly encode: ForwardFunction
  /** Relative positions: the bucket of a distance, key's place minus query's; in the encoder keys may come after. */
  readonly bucketDistance?: (distance: number, isEncoder: boolean) => number
}

/** A network that goes on where its prompt ends. */
export interface DecoderOnly extends CachedNetwork {
  readonly kind: "decoder-only"
  /** The most tokens of prompt and answer together, where positions are learned or end somewhere. */
  readonly maxPositions?: number
  /**
   * Reads prompts, padded on the right: what stands behind a prompt's end is never seen, since `mask` is causal and later steps mask it.
   *
   * Inputs: inputIds int32 [B,S]; positions int32 [B,S]; mask float32 [1,1,S,S], 0 or very negative; ends int32 [B], the place of each
   * prompt's last token in [B*S]. Results: key0, value0 ... [B,H,S,K], which become the first S slots of the row's cache; logits [B,V]
   * after each row's last token: gather those rows before the head.
   */
  readonly prefill: ForwardFunction
}

/** A family's network, as decoding drives it. */
export type DecoderNetwork = EncoderDecoder | DecoderOnly
