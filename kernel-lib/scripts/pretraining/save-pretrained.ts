// Saves a trained student as a base model: it says that it is pretrained, and its weights are bfloat16, half the bytes; what a small model
// loses by that is less than what a training step changes.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { writeFileAtomically } from "../../src/store/atomic"
import type { LoadedStudent } from "../../src/students"

export async function savePretrained(student: LoadedStudent, folder: string): Promise<void> {
  await student.save(folder)
  const [weights, details] = [join(folder, "model.safetensors"), join(folder, "prompt2model.json")]
  await writeFileAtomically(weights, halve(await readFile(weights)))
  const own = JSON.parse(await readFile(details, "utf8"))
  await writeFileAtomically(details, `${JSON.stringify({ ...own, isPretrained: true }, null, 2)}\n`)
}

/** A safetensors file of 32-bit floats as one of bfloat16, rounded to nearest, ties to even. */
function halve(file: Buffer): Buffer {
  const length = Number(file.readBigUInt64LE())
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(file.toString("utf8", 8, 8 + length))
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue
    if (entry.dtype !== "F32") throw new Error(`${name} is ${entry.dtype}, and not F32`)
    entry.dtype = "BF16"
    entry.data_offsets = [entry.data_offsets[0] / 2, entry.data_offsets[1] / 2]
  }
  const numbers = (file.length - 8 - length) / 4
  const data = Buffer.alloc(numbers * 2)
  for (let i = 0; i < numbers; i++) {
    const bits = file.readUInt32LE(8 + length + 4 * i)
    data.writeUInt16LE(((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff, 2 * i)
  }
  const text = JSON.stringify(header)
  const head = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(head.length))
  return Buffer.concat([size, head, data])
}
