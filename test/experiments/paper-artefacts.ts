// A folder laid out as the paper authors' repository, with simulated rows: copying the weekday's number out of a sentence, or N/A.
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tableFromArrays, tableToIPC } from "apache-arrow"

const days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]

/** Rows of a simulated teacher; every `everyEmpty`-th has no weekday. */
export function makeRows(count: number, verb: string, everyEmpty: number): { input: string[]; output: string[] } {
  const rows = Array.from({ length: count }, (_, at) =>
    at % everyEmpty === 0
      ? [`we ${verb} number ${at}`, "N/A"]
      : [`we ${verb} number ${at} on ${days[at % 5]}`, `${days[at % 5]} == ${at % 5}`],
  )
  return { input: rows.map(([input]) => input), output: rows.map(([, output]) => output) }
}

/** Simulated artefacts of Temporal: 60 generated rows, 20 real ones, the teacher's answers, one student's. */
export function writeArtefacts(folder: string): { test: ReturnType<typeof makeRows> } {
  const write = (path: string, columns: Record<string, string[]>) => {
    mkdirSync(join(folder, path), { recursive: true })
    writeFileSync(join(folder, path, "data-00000-of-00001.arrow"), tableToIPC(tableFromArrays(columns), "stream"))
    writeFileSync(join(folder, path, "state.json"), JSON.stringify({ _data_files: [{ filename: "data-00000-of-00001.arrow" }] }))
  }
  const generated = makeRows(60, "ship", 20)
  const test = makeRows(20, "order", 2)
  const columns = ({ input, output }: ReturnType<typeof makeRows>) => ({ input_col: input, output_col: output })
  write("generation/generated_dataset/normalization_1.4_1.4_with_filtering", columns(generated))
  write("generation/generated_dataset/a_normalization_1.4_1.4_with_filtering_real_dataset_without_post_filter", {
    output: test.output,
    model_output: test.output,
  })
  write("generation/generated_dataset/b_normalization_real_dataset_without_post_filter", { output: test.output, model_output: test.output })
  write("baseline/real_datasets/datasets/normalization", columns(test))
  write("baseline/gpt_baseline/results/normalization_gpt_results", {
    output: test.output.map((output, at) => (at < 5 ? "x" : output)),
    model_output: test.output,
  })
  return { test }
}
