// What is in the way of reading a file: a sentence that can be translated where it is shown, and what stands in its places.

export class Trouble extends Error {
  readonly values: readonly (string | number)[]

  constructor(
    /** `%1` is the first of `values`. */
    readonly template: string,
    ...values: readonly (string | number)[]
  ) {
    super(template.replace(/%(\d)/g, (_mark, place) => String(values[place - 1])))
    this.values = values
  }
}
