// What a prompt of the measurement is: a task, with the datasets and base models of the bundled catalogue that serve it.

export interface RetrievalPrompt {
  readonly task: string
  readonly instruction: string
  readonly examples: readonly (readonly [input: string, output: string])[]
  /** Behind `bundled/`. Any of them is right; where there is none, the right answer is that none fits. */
  readonly datasets: readonly string[]
  /** Any of them is right. */
  readonly models: readonly string[]
}

export const english = ["byte-t5-english"]
export const multilingual = ["byte-t5-multilingual"]
export const decoder = ["byte-llama-english"]
