// How a raw input becomes the text that a model reads.

export type Template =
  /** The input as it is. */
  | { readonly kind: "bare" }
  /** The form of the Prompt2Model paper: the instruction, then the input, then a place for the answer. */
  | { readonly kind: "paper"; readonly instruction: string }

export const bareTemplate: Template = { kind: "bare" }

/** The text that the model reads for `input`. */
export function fillTemplate(template: Template, input: string): string {
  return template.kind === "bare" ? input : `<task 0>${template.instruction}\nExample:\n${input}\nLabel:\n`
}

/** A template as it was written to a file; undefined when it is none. */
export function readTemplate(value: unknown): Template | undefined {
  const { kind, instruction } = (value ?? {}) as { kind?: unknown; instruction?: unknown }
  if (kind === "bare") return bareTemplate
  return kind === "paper" && typeof instruction === "string" ? { kind, instruction } : undefined
}
