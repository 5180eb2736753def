// DataFinder's documents and queries (Viswanathan et al., ACL 2023), from the folder in DATAFINDER_DATA.
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface DataFinder {
  readonly cards: readonly { readonly id: string; readonly tags: readonly string[]; readonly description: string }[]
  /** The same as one text each. */
  readonly texts: readonly string[]
  readonly queries: readonly { readonly sentence: string; readonly keyphrase: string; readonly relevant: ReadonlySet<number> }[]
}

/** Queries that name no document which is there are left out. */
export function readDataFinder(folder: string): DataFinder {
  const lines = (name: string) =>
    readFileSync(join(folder, name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  const documents = lines("documents.jsonl") as { id: string; title: string; contents: string }[]
  const rowOf = new Map(documents.map(({ id }, row) => [id, row]))
  const queries = (lines("test_data.jsonl") as { query: string; keyphrase_query: string; documents: string[] }[]).map((line) => ({
    sentence: line.query,
    keyphrase: line.keyphrase_query,
    relevant: new Set(line.documents.flatMap((id) => rowOf.get(id) ?? [])),
  }))
  return {
    cards: documents.map(({ id, title, contents }) => ({ id, tags: [], description: `${title} ${contents}` })),
    texts: documents.map(({ id, title, contents }) => `${id} ${title} ${contents}`),
    queries: queries.filter(({ relevant }) => relevant.size > 0),
  }
}
