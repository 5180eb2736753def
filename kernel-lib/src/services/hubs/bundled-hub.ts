// The hub that is shipped with the library: a small catalogue of real text, which needs no network.
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import type { DatasetCard, Hub, ModelCard } from "../../core/hub"
import { packageFolder } from "../../store/package-folder"
import { readTable } from "../../store/tables"

const owner = "bundled/"

/**
 * The bundled catalogue: datasets of some forty tasks, made from the Unicode CLDR, WordNet, ISO's codes and VADER's lexicon; small byte-level
 * models that were pretrained on such text; and configurations of byte-level T5 models whose weights are drawn at random. Nothing leaves the
 * machine.
 *
 * @throws InputError `hub.no-catalogue` where the package lacks its data folder
 * @example
 * const { cards } = await bundledHub().findDatasets("dates")
 * cards[0].id // "bundled/dates-cldr"
 */
export function bundledHub(): Hub {
  const folder = join(packageFolder(), "data")
  const version = createHash("sha256")
  for (const file of ["datasets.jsonl", "models.jsonl"]) version.update(readCatalogue(join(folder, file)))
  const cardsOf = async <Card>(file: string) => (await readTable(join(folder, file))).rows as unknown as Card[]

  async function cardOf<Card extends { readonly id: string }>(file: string, id: string, what: string): Promise<Card> {
    const cards = await cardsOf<Card>(file)
    const card = cards.find((one) => one.id === id || one.id === owner + id)
    if (card) return card
    throw new InputError(`hub.no-such-${what}`, `The bundled hub has no ${what} ${id}; it has ${cards.map((one) => one.id).join(", ")}.`)
  }

  return {
    name: "bundled",
    identity: `bundled ${version.digest("hex").slice(0, 16)}`,
    async findDatasets() {
      const cards = await cardsOf<DatasetCard>("datasets.jsonl")
      return { cards, searched: cards.length }
    },
    async findModels() {
      const cards = await cardsOf<ModelCard>("models.jsonl")
      return { cards, searched: cards.length }
    },
    async readRows(id, { configuration, split, maxRows }) {
      const card = await cardOf<DatasetCard>("datasets.jsonl", id, "dataset")
      const found = card.configurations.find(({ name }) => name === configuration)
      if (!found?.splits.includes(split)) {
        const present = card.configurations.map(({ name, splits }) => `${name} (${splits.join(", ")})`).join(", ")
        throw new InputError("hub.no-such-split", `${card.id} has no split ${split} of configuration ${configuration}; it has ${present}.`)
      }
      const { columns, rows } = await readTable(join(folder, "datasets", nameOf(card.id), configuration, `${split}.parquet`), { maxRows })
      return { columns, rows }
    },
    async fetchModel(id) {
      const card = await cardOf<ModelCard>("models.jsonl", id, "model")
      return join(folder, "models", nameOf(card.id))
    },
  }
}

function nameOf(id: string): string {
  return id.slice(owner.length)
}

function readCatalogue(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new InputError(
      "hub.no-catalogue",
      `The bundled catalogue is not there (${path}): install prompt2model anew, or use --hub huggingface.`,
      {
        cause: error,
      },
    )
  }
}
