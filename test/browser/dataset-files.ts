// Datasets as runs write them, of any size, for the viewer's tests and its benchmark.
import { writeFileSync } from "node:fs"
import { parquetWriteBuffer } from "hyparquet-writer"

const months = ["Jan", "Feb", "March", "April", "May", "June", "July", "August", "Sept.", "October", "Nov", "Dec."]
const shapes = [
  (day: number, month: string, year: number) => `${day} of ${month} ${year}`,
  (day: number, month: string, year: number) => `${month} ${day}, ${year}`,
  (day: number, month: string, year: number) => `the day after ${day - 1} ${month} ${year}, give or take a moment`,
  (day: number, month: string, year: number) => `${day}. ${month} '${String(year).slice(2)}`,
  (day: number, month: string, year: number) => `on the ${day}th day of ${month}, in the year ${year}`,
]

export interface GeneratedRow {
  readonly input: string
  readonly output: string
  readonly id: string
  readonly from: object
  readonly group?: string
}

/** The same row for the same number, whoever asks. */
export function generateRow(row: number): GeneratedRow {
  const random = (salt: number) => {
    let mixed = Math.imul(row ^ (row >>> 16) ^ (salt << 24) ^ 0x5bd1e995, 0x45d9f3b)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
  }
  const day = 2 + Math.floor(random(1) * 26)
  const month = Math.floor(random(2) * 12)
  const year = 1900 + Math.floor(random(3) * 130)
  const input = shapes[Math.floor(random(4) ** 2 * shapes.length)](day, months[month], year)
  const output = `${year}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`
  const voters = 4
  const from =
    random(5) < 0.27
      ? { kind: "retrieved", dataset: "bundled/dates-cldr", configuration: "default", split: "train", row }
      : {
          kind: "generated",
          teacher: "gpt-4o-mini",
          isSimulated: false,
          call: Math.floor(row / 5),
          response: row % 5,
          temperature: Number((0.3 + 1.4 * random(6)).toFixed(2)),
          votes: 1 + Math.floor(random(7) ** 0.5 * voters),
          voters,
        }
  return { input, output, id: (row * 2654435761).toString(36).padStart(10, "0"), from, group: random(8) < 0.1 ? "informal" : undefined }
}

/** Parquet with the columns that `writeDataset` writes. */
export function writeGeneratedParquet(path: string, numRows: number): void {
  const rows = Array.from({ length: numRows }, (_none, row) => generateRow(row))
  const column = (name: string, data: (string | null)[]) => ({ name, data, type: "STRING" as const, nullable: true })
  const buffer = parquetWriteBuffer({
    columnData: [
      column(
        "input",
        rows.map(({ input }) => input),
      ),
      column(
        "output",
        rows.map(({ output }) => output),
      ),
      column(
        "id",
        rows.map(({ id }) => id),
      ),
      column(
        "from",
        rows.map(({ from }) => JSON.stringify(from)),
      ),
      column(
        "group",
        rows.map(({ group }) => group ?? null),
      ),
    ],
    kvMetadata: [{ key: "prompt2model", value: JSON.stringify({ name: "generated" }) }],
  })
  writeFileSync(path, new Uint8Array(buffer))
}

/** The same as CSV, without provenance. */
export function writeGeneratedCsv(path: string, numRows: number): void {
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const lines = Array.from({ length: numRows }, (_none, row) => {
    const { input, output, id } = generateRow(row)
    return `${quote(input)},${quote(output)},${id},${row % 97}`
  })
  writeFileSync(path, `input,output,id,score\n${lines.join("\n")}\n`)
}

export function writeGeneratedJsonl(path: string, numRows: number): void {
  writeFileSync(path, Array.from({ length: numRows }, (_none, row) => `${JSON.stringify(generateRow(row))}\n`).join(""))
}
