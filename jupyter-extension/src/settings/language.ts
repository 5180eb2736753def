// The language that JupyterLab speaks: every sentence of ours goes through here. Until JupyterLab says which it is, it is English.
import { type ITranslator, nullTranslator, type TranslationBundle } from "@jupyterlab/translation"
import { formatCount } from "../../../kernel-lib/src/display/wording"

const domain = "jupyterlab_prompt2model"

/** Translates: `trans.__("Row %1", row)`, `trans._n("%2 row", "%2 rows", count, shown)`. */
export let trans: TranslationBundle = nullTranslator.load(domain)

export function takeTranslator(translator: ITranslator | null): void {
  if (translator) trans = translator.load(domain)
}

export function countRows(count: number): string {
  return trans._n("%2 row", "%2 rows", count, formatCount(count))
}

export function countColumns(count: number): string {
  return trans._n("%2 column", "%2 columns", count, formatCount(count))
}
