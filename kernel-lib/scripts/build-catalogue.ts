// Builds kernel-lib/data, the catalogue that the bundled hub ships: dataset cards and rows from the Unicode CLDR, as the ICU inside Node.js
// has it, and the configurations of the base models. From the repository's root, on the Node.js whose CLDR is wanted:
//
//   npx unrun kernel-lib/scripts/build-catalogue.ts
import { mkdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import type { DatasetCard, DatasetConfiguration, ModelCard } from "../src/core/hub"
import { Random } from "../src/core/random"
import { listT5Weights } from "../src/networks/t5-weights"
import { writeFileAtomically } from "../src/store/atomic"
import { packageFolder } from "../src/store/package-folder"
import { type ParquetColumn, writeParquetFile, writeRowsJsonl } from "../src/store/tables"
import { createByteTokenizer } from "../src/students/byte-tokenizer"
import { readT5Configuration } from "../src/students/t5-configuration"
import { describeModel, modelConfiguration, modelRecipes } from "./catalogue/models"
import { nameRecipes } from "./catalogue/names"
import { numberRecipes } from "./catalogue/numbers"
import type { Cells, Recipe } from "./catalogue/recipe"
import { timeRecipes } from "./catalogue/times"

const license = "Unicode-3.0"
export const recipes: readonly Recipe[] = [...timeRecipes, ...nameRecipes, ...numberRecipes]

/** The tables of a recipe, in an order that its name decides. */
export function makeTables(recipe: Recipe): [configuration: string, rows: readonly Cells[]][] {
  const random = new Random(`catalogue ${recipe.name}`)
  return Object.entries(recipe.makeTables(random)).map(([configuration, rows]) => [configuration, random.fork(configuration).shuffle(rows)])
}

async function writeDatasets(folder: string): Promise<DatasetCard[]> {
  const cards: DatasetCard[] = []
  for (const recipe of recipes) {
    const configurations: DatasetConfiguration[] = []
    let bytes = 0
    for (const [name, rows] of makeTables(recipe)) {
      const path = join(folder, "datasets", recipe.name, name, "train.parquet")
      const columns = Object.keys(rows[0])
      await writeParquetFile(
        path,
        columns.map((column) => columnOf(column, rows)),
        { license, source: sourceOf() },
      )
      bytes += (await stat(path)).size
      configurations.push({ name, splits: ["train"], columns, numRows: rows.length, sampleRow: rows[0] })
    }
    const description = `${recipe.description} Made from CLDR ${process.versions.cldr} through ICU ${process.versions.icu}.`
    const { tags, languages } = recipe
    cards.push({ id: `bundled/${recipe.name}`, description, tags, languages, license, downloads: 0, bytes, access: "open", configurations })
  }
  await writeRowsJsonl(join(folder, "datasets.jsonl"), cards)
  return cards
}

function columnOf(name: string, rows: readonly Cells[]): ParquetColumn {
  return { name, type: typeof rows[0][name] === "number" ? "INT32" : "STRING", data: rows.map((row) => row[name]) }
}

function sourceOf(): string {
  return `Unicode CLDR ${process.versions.cldr}, ICU ${process.versions.icu}`
}

async function writeModels(folder: string): Promise<ModelCard[]> {
  const cards: ModelCard[] = []
  const writeJson = (path: string, value: unknown) => writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`)
  for (const recipe of modelRecipes) {
    const place = join(folder, "models", recipe.name)
    const configuration = modelConfiguration(recipe)
    await mkdir(place, { recursive: true })
    await writeJson(join(place, "config.json"), configuration)
    await writeJson(join(place, "generation_config.json"), { decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 })
    await writeJson(join(place, "prompt2model.json"), { version: 1, name: recipe.name, weights: "untrained" })
    await createByteTokenizer({ extraIds: 125 }).save(place)
    const weights = listT5Weights(readT5Configuration(configuration, recipe.name).shape)
    const parameters = weights.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
    cards.push({
      id: `bundled/${recipe.name}`,
      description: describeModel(recipe),
      tags: ["t5", "byte-level", "text2text-generation", "untrained", `input-bytes:${recipe.inputBytes}`],
      languages: ["mul"],
      license: "Apache-2.0",
      downloads: 0,
      architecture: "t5",
      parameters,
      bytes: parameters * 4,
      isPretrained: false,
    })
  }
  await writeRowsJsonl(join(folder, "models.jsonl"), cards)
  return cards
}

if (process.argv[1]?.includes("build-catalogue")) {
  const folder = join(packageFolder(), "data")
  for (const part of ["datasets", "models"]) await rm(join(folder, part), { recursive: true, force: true })
  for (const { id, configurations, bytes } of await writeDatasets(folder)) {
    console.log(`${id}: ${configurations.map(({ name, numRows }) => `${name} ${numRows}`).join(", ")} rows, ${bytes} bytes`)
  }
  for (const { id, parameters } of await writeModels(folder)) console.log(`${id}: ${parameters} parameters`)
}
