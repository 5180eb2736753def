// T5 as decoding drives it.
import { relativeBucket, type T5Shape, t5DecodeStep, t5Encode } from "../networks/t5"
import type { EncoderDecoder } from "./decoder"

export function t5Decoder(shape: T5Shape): EncoderDecoder {
  const { vocabularySize, numDecoderLayers, numHeads, headSize } = shape
  return {
    kind: "encoder-decoder",
    name: "t5",
    vocabularySize,
    numLayers: numDecoderLayers,
    numHeads,
    headSize,
    encode: (inputs, weights) => t5Encode(shape, inputs, weights),
    step: (inputs, weights) => t5DecodeStep(shape, inputs, weights),
    bucketDistance: (distance, isEncoder) => relativeBucket(shape, distance, isEncoder),
  }
}
