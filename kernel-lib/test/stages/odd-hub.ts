// A hub and teachers that say odd things, for the tests of retrieval.
import type { DatasetCard, Hub, ModelCard } from "../../src/core/hub"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"

export const spec = new PromptSpec({
  instruction: "Answer the question about the passage.",
  demonstrations: [
    { input: "question: Where is it?\ncontext: It is in Oslo.", output: "Oslo" },
    { input: "question: Who came?\ncontext: Ada came late.", output: "Ada" },
  ],
})

export const squadRow = {
  id: "1",
  title: "Oslo",
  context: "Oslo is a city.",
  question: "What is Oslo?",
  answers: { text: ["a city", "city"], answer_start: [8, 10] },
}

export function datasetCard(id: string, changes: Partial<DatasetCard> = {}): DatasetCard {
  const configurations = [
    { name: "plain", splits: ["validation", "train"], columns: Object.keys(squadRow), numRows: 2, sampleRow: squadRow },
  ]
  return {
    id,
    description: "Questions about a passage, each with its answer.",
    tags: [],
    languages: ["en"],
    license: "mit",
    downloads: 1,
    access: "open",
    configurations,
    ...changes,
  }
}

export function modelCard(id: string, changes: Partial<ModelCard> = {}): ModelCard {
  return {
    id,
    description: "Answers questions about a passage.",
    tags: [],
    languages: ["en"],
    license: "mit",
    downloads: 10,
    architecture: "t5",
    bytes: 1e8,
    isPretrained: true,
    ...changes,
  }
}

export function hubOf(datasets: readonly DatasetCard[], models: readonly ModelCard[] = []): Hub {
  return {
    name: "odd",
    identity: `odd ${JSON.stringify([datasets, models])}`,
    findDatasets: async () => ({ cards: [...datasets], searched: datasets.length }),
    findModels: async () => ({ cards: [...models], searched: models.length }),
    readRows: async () => ({
      columns: Object.keys(squadRow),
      rows: [squadRow, { ...squadRow, question: "Which city?", answers: { text: ["Oslo"], answer_start: [0] } }],
    }),
    fetchModel: async () => "",
  }
}

/** Answers by the schema's name, in turn. */
export function teacherOf(answers: Readonly<Record<string, readonly string[]>>): Teacher & { requests: TeacherRequest[] } {
  const requests: TeacherRequest[] = []
  return {
    name: "odd teacher",
    // Answers are kept by teacher; one with other answers is another.
    identity: `odd teacher ${JSON.stringify(answers)}`,
    isRecorded: true,
    requests,
    async complete(request) {
      const name = request.schema?.name ?? ""
      const given = answers[name] ?? ["{}"]
      const turn = requests.filter((one) => one.schema?.name === name).length
      requests.push(request)
      return { texts: [given[turn % given.length]], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
    },
  }
}

export const vote = (name: string) => JSON.stringify({ name })
export const columns = JSON.stringify({ input: ["question", "context"], output: "answers.text" })
