// Decoders of `tokenizer.json`: tokens become a text. The library's, except where it gives other texts than tokenizers does.
import { SequenceDecoder } from "@huggingface/tokenizers"
import { type PartDescription, readParts } from "./describe"

type Decode = (tokens: string[]) => string[]

/**
 * The decoder that a description asks for.
 * @throws Error with a clause of a sentence
 */
export function createDecoder(part: PartDescription | null): (tokens: string[]) => string {
  if (!part) return (tokens) => tokens.join(" ")
  const decode = createStep(part)
  return (tokens) => decode(tokens).join("")
}

function createStep(part: PartDescription): Decode {
  switch (part.type) {
    case "Sequence": {
      const steps = readParts(part.decoders, "decoder").map(createStep)
      return (tokens) => steps.reduce((done, step) => step(done), tokens)
    }
    case "ByteLevel":
      return (tokens) => [Buffer.concat(tokens.map(readBytes)).toString("utf8")]
    case "ByteFallback":
      return joinByteTokens
    case "Metaspace": {
      const mark = typeof part.replacement === "string" ? part.replacement : "▁"
      const hasPrefix = part.prepend_scheme ? part.prepend_scheme !== "never" : part.add_prefix_space !== false
      return (tokens) => tokens.map((token, i) => token.replaceAll(mark, i === 0 && hasPrefix ? "" : " "))
    }
    default: {
      const library = new SequenceDecoder({ type: "Sequence", decoders: [part] } as never)
      return (tokens) => library.decode_chain(tokens)
    }
  }
}

/** The visible letters that stand for bytes in GPT-2's vocabulary. */
const bytesByLetter: ReadonlyMap<string, number> = (() => {
  const isVisible = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
  const letters = new Map<string, number>()
  let next = 256
  for (let byte = 0; byte < 256; byte++) letters.set(String.fromCharCode(isVisible(byte) ? byte : next++), byte)
  return letters
})()

/** A token that has another letter stands for itself. */
function readBytes(token: string): Buffer {
  const bytes = Array.from(token, (letter) => bytesByLetter.get(letter))
  return bytes.includes(undefined) ? Buffer.from(token, "utf8") : Buffer.from(bytes as number[])
}

/** Neighbours that stand for bytes become their text, or where they are none, a sign for each that something is lost. */
function joinByteTokens(tokens: string[]): string[] {
  const joined: string[] = []
  let bytes: number[] = []
  const flush = (): void => {
    if (bytes.length === 0) return
    try {
      joined.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)))
    } catch {
      for (const _ of bytes) joined.push("\ufffd")
    }
    bytes = []
  }
  for (const token of tokens) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)
    if (byte) bytes.push(Number.parseInt(byte[1], 16))
    else {
      flush()
      joined.push(token)
    }
  }
  flush()
  return joined
}
