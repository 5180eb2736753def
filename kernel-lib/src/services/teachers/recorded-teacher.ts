// A teacher that replays what was made earlier: rows, or the answers of an exported response store. For repeating a paper's runs, and for
// classes without a key.
import { basename, resolve } from "node:path"
import { InputError, ServiceError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { Teacher, TeacherCompletion } from "../../core/teacher"
import { readDataset } from "../../store/tables"
import { replayedTeacher } from "./replayed-responses"

/** `isRecorded` and `totalRows` are there where rows are replayed; answers of a response store are given as the teacher gave them. */
export type RecordedTeacher = Teacher

/**
 * Replays what was made earlier: answers or rows.
 *
 * A file of `exportResponses` holds answers: to every request that was in the recorded run it gives the same answer, so that the same
 * notebook gives the same rows. It is called what the teacher was called that gave them.
 *
 * Anything else holds rows, and it replays the rows of a folder that Hugging Face's `save_to_disk` wrote, or of a Parquet, JSON lines or CSV file. It answers only requests
 * for examples: request `index` with `numResponses` n is given rows index * n to index * n + n - 1, each as `{"input": ..., "output": ...}`;
 * the last one may be given fewer. Nothing is sent and nothing is paid.
 *
 * @throws what `readDataset` throws; InputError `recorded.no-rows`, `recorded.no-such-file`, `responses.several-teachers`. `complete` rejects with
 *   ServiceError `recorded.no-answer` (not retryable) where the run asks what the recorded one did not ask; with ServiceError `recorded.exhausted` (not retryable)
 *   where there are no rows left for a request, InputError `recorded.only-examples` for any other purpose
 */
export async function recordedTeacher(folderOrFile: string): Promise<RecordedTeacher> {
  const replayed = await replayedTeacher(folderOrFile)
  if (replayed) return replayed
  const { inputs, outputs, length } = await readDataset(folderOrFile)
  const name = `recorded:${basename(resolve(folderOrFile))}`
  if (length === 0)
    throw new InputError("recorded.no-rows", `${folderOrFile} has no rows to replay: choose another folder for --teacher recorded:FOLDER.`)
  return {
    name,
    // The rows decide, not where they lie: a copied folder is the same teacher.
    identity: `recorded/${fingerprintOf([inputs, outputs])}`,
    isRecorded: true,
    totalRows: length,
    answers: (purpose) => purpose === "generate",
    async complete({ purpose, index, numResponses }): Promise<TeacherCompletion> {
      if (purpose !== "generate") {
        throw new InputError(
          "recorded.only-examples",
          `${name} only replays examples and cannot answer anything else: use --teacher openai:MODEL for that.`,
        )
      }
      const first = index * numResponses
      if (first >= length) {
        throw new ServiceError(
          "recorded.exhausted",
          `${name} has ${length} rows and none is left: ask for fewer examples, or replay a larger recording.`,
          {
            isRetryable: false,
          },
        )
      }
      const rows = Array.from({ length: Math.min(numResponses, length - first) }, (_, offset) => first + offset)
      return {
        texts: rows.map((row) => JSON.stringify({ input: inputs[row], output: outputs[row] })),
        finishReasons: rows.map(() => "stop"),
        usage: { inputTokens: 0, outputTokens: 0 },
        usd: 0,
      }
    },
  }
}
