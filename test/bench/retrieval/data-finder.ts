// DataFinder's documents and queries (Viswanathan et al., ACL 2023), from the folder in DATAFINDER_DATA.
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface DataFinder {
  readonly cards: readonly { readonly id: string; readonly tags: readonly string[]; readonly description: string }[]
  /** Of each card, which of `texts` it is. */
  readonly rows: readonly number[]
  /** All documents as one text each: more than cards, since some ids come twice, and the first one counts. */
  readonly texts: readonly string[]
  /** `relevant` are numbers of cards. */
  readonly queries: readonly { readonly sentence: string; readonly keyphrase: string; readonly relevant: ReadonlySet<number> }[]
}

/**
 * Queries that name no document which is there are left out.
 * @param every of the documents that no query names, every so many-th is taken: a smaller catalogue in which the same is to be found
 */
export function readDataFinder(folder: string, every = 1): DataFinder {
  const lines = (name: string) =>
    readFileSync(join(folder, name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  const asked = lines("test_data.jsonl") as { query: string; keyphrase_query: string; documents: string[] }[]
  const named = new Set(asked.flatMap(({ documents }) => documents))
  const documents = (lines("documents.jsonl") as { id: string; title: string; contents: string }[]).filter(
    ({ id }, row) => row % every === 0 || named.has(id),
  )
  const cardOf = new Map<string, number>()
  const rows: number[] = []
  for (const [row, { id }] of documents.entries()) {
    if (cardOf.has(id)) continue
    cardOf.set(id, rows.length)
    rows.push(row)
  }
  const queries = asked.map((line) => ({
    sentence: line.query,
    keyphrase: line.keyphrase_query,
    relevant: new Set(line.documents.flatMap((id) => cardOf.get(id) ?? [])),
  }))
  return {
    cards: rows.map((row) => ({ id: documents[row].id, tags: [], description: `${documents[row].title} ${documents[row].contents}` })),
    rows,
    texts: documents.map(({ id, title, contents }) => `${id} ${title} ${contents}`),
    queries: queries.filter(({ relevant }) => relevant.size > 0),
  }
}
