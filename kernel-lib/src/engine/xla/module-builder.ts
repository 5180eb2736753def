// A StableHLO module while it is written: one function, operation by operation, as text. Every operation knows its operands' shapes and
// types, so that rules say what is computed and no more.
import { dataTypeOf, sameShape } from "../recording"
import type { DataType, TensorData } from "../tensors"

export type ElementType = DataType | "bfloat16"

/** A tensor in the module. */
export interface Term {
  /** `%v12` */
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: ElementType
}

/** How exactly products are computed: as XLA's precision configuration has it. */
export type DotPrecision = "DEFAULT" | "HIGH" | "HIGHEST"

const typeNames: Record<ElementType, string> = { float32: "f32", int32: "i32", bool: "i1", bfloat16: "bf16" }

/** `tensor<2x3xf32>` */
export function typeOf({ shape, dtype }: Pick<Term, "shape" | "dtype">): string {
  return `tensor<${[...shape, typeNames[dtype]].join("x")}>`
}

export class ModuleBuilder {
  private readonly lines: string[] = []
  private readonly inputs: { readonly term: Term; donatedTo?: number }[] = []
  private readonly constants = new Map<string, Term>()
  private count = 0

  /** @param dotPrecision of products of float32 */
  constructor(readonly dotPrecision: DotPrecision = "HIGHEST") {}

  get numInputs(): number {
    return this.inputs.length
  }

  input(dtype: DataType, shape: readonly number[]): Term {
    const term = { name: `%input${this.inputs.length}`, shape, dtype }
    this.inputs.push({ term })
    return term
  }

  /** The operation `code`, written with its operands and attributes. */
  add(code: string, type: string, shape: readonly number[], dtype: ElementType): Term {
    const term = { name: `%v${this.count++}`, shape, dtype }
    this.lines.push(`${term.name} = ${code} : ${type}`)
    return term
  }

  /** An operation of several results. */
  addSeveral(code: string, type: string, results: readonly Omit<Term, "name">[]): Term[] {
    const terms = results.map((result) => ({ name: `%v${this.count++}`, ...result }))
    this.lines.push(`${terms.map(({ name }) => name).join(", ")} = ${code} : ${type}`)
    return terms
  }

  /** One value everywhere. */
  fill(value: number, shape: readonly number[] = [], dtype: ElementType = "float32"): Term {
    const key = `${value} ${Object.is(value, -0)} ${typeOf({ shape, dtype })}`
    const known = this.constants.get(key)
    if (known) return known
    const type = typeOf({ shape, dtype })
    const made = this.add(`stablehlo.constant dense<${literal(value, dtype)}>`, type, shape, dtype)
    this.constants.set(key, made)
    return made
  }

  constant(values: TensorData, shape: readonly number[]): Term {
    const dtype = dataTypeOf(values)
    if (values.length === 0) return this.fill(0, shape, dtype)
    const type = typeOf({ shape, dtype })
    if (dtype === "bool") return this.convert(this.constant(Int32Array.from(values), shape), "bool")
    const hex = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex").toUpperCase()
    // One element in hexadecimal digits would be read as a number that fills the tensor.
    const content = values.length === 1 ? literal(values[0], dtype) : `"0x${hex}"`
    return this.add(`stablehlo.constant dense<${content}>`, type, shape, dtype)
  }

  unary(op: string, x: Term): Term {
    return this.add(`stablehlo.${op} ${x.name}`, typeOf(x), x.shape, x.dtype)
  }

  /** Both operands are broadcast to `shape`. */
  binary(op: string, a: Term, b: Term, shape: readonly number[] = a.shape): Term {
    const [left, right] = [this.broadcast(a, shape), this.broadcast(b, shape)]
    return this.add(`stablehlo.${op} ${left.name}, ${right.name}`, typeOf(left), shape, left.dtype)
  }

  compare(direction: string, a: Term, b: Term, shape: readonly number[] = a.shape): Term {
    const [left, right] = [this.broadcast(a, shape), this.broadcast(b, shape)]
    const kind = left.dtype === "int32" ? "SIGNED" : left.dtype === "bool" ? "UNSIGNED" : "FLOAT"
    const code = `stablehlo.compare ${direction}, ${left.name}, ${right.name}, ${kind}`
    return this.add(code, `(${typeOf(left)}, ${typeOf(right)}) -> ${typeOf({ shape, dtype: "bool" })}`, shape, "bool")
  }

  select(condition: Term, yes: Term, no: Term, shape: readonly number[] = yes.shape): Term {
    const [choice, left, right] = [condition, yes, no].map((term) => this.broadcast(term, shape))
    const code = `stablehlo.select ${choice.name}, ${left.name}, ${right.name}`
    return this.add(code, `${typeOf(choice)}, ${typeOf(left)}`, shape, left.dtype)
  }

  convert(x: Term, dtype: ElementType): Term {
    if (x.dtype === dtype) return x
    if (dtype === "bool") return this.compare("NE", x, this.fill(0, [], x.dtype))
    return this.change("stablehlo.convert", x, x.shape, dtype)
  }

  reshape(x: Term, shape: readonly number[]): Term {
    return sameShape(x.shape, shape) ? x : this.change("stablehlo.reshape", x, shape, x.dtype)
  }

  /** As tfjs broadcasts: missing leading axes and axes of length 1 are repeated. */
  broadcast(x: Term, shape: readonly number[]): Term {
    return sameShape(x.shape, shape)
      ? x
      : this.broadcastAlong(
          x,
          x.shape.map((_, axis) => axis + shape.length - x.shape.length),
          shape,
        )
  }

  /** @param axes where each axis of x is in the result */
  broadcastAlong(x: Term, axes: readonly number[], shape: readonly number[]): Term {
    return this.change("stablehlo.broadcast_in_dim", x, shape, x.dtype, `, dims = [${axes.join(", ")}]`)
  }

  transpose(x: Term, permutation: readonly number[]): Term {
    const shape = permutation.map((axis) => x.shape[axis])
    return this.change("stablehlo.transpose", x, shape, x.dtype, `, dims = [${permutation.join(", ")}]`)
  }

  slice(x: Term, begin: readonly number[], end: readonly number[], strides?: readonly number[]): Term {
    const shape = begin.map((first, axis) => Math.max(0, Math.ceil((end[axis] - first) / (strides?.[axis] ?? 1))))
    if (sameShape(shape, x.shape)) return x
    const ranges = begin.map((first, axis) => `${first}:${Math.max(first, end[axis])}${strides ? `:${strides[axis]}` : ""}`)
    return this.change("stablehlo.slice", x, shape, x.dtype, ` [${ranges.join(", ")}]`)
  }

  iota(axis: number, shape: readonly number[]): Term {
    return this.add(`stablehlo.iota dim = ${axis}`, typeOf({ shape, dtype: "int32" }), shape, "int32")
  }

  /** @param op `add`, `multiply`, `maximum`, `minimum`, `and`, `or` */
  reduce(op: string, x: Term, axes: readonly number[], keepDims = false): Term {
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    const shape = x.shape.filter((_, axis) => !axes.includes(axis))
    if (axes.length === 0) return x
    const first = this.fill(identity(op, x.dtype), [], x.dtype)
    const code = `stablehlo.reduce(${x.name} init: ${first.name}) applies stablehlo.${op} across dimensions = [${axes.join(", ")}]`
    const reduced = this.add(code, `(${typeOf(x)}, ${typeOf(first)}) -> ${typeOf({ shape, dtype: x.dtype })}`, shape, x.dtype)
    return keepDims ? this.reshape(reduced, kept) : reduced
  }

  /** The module; inputs that are donated give their memory to the output of that number. */
  finish(outputs: readonly Term[], donations: readonly (readonly [input: Term, output: number])[] = []): string {
    for (const [input, output] of donations) this.inputs.find(({ term }) => term === input)!.donatedTo = output
    const declared = this.inputs.map(({ term, donatedTo }) => {
      const donation = donatedTo === undefined ? "" : ` {tf.aliasing_output = ${donatedTo} : i32}`
      return `${term.name}: ${typeOf(term)}${donation}`
    })
    const types = outputs.map(typeOf).join(", ")
    const names = outputs.map(({ name }) => name).join(", ")
    const body = this.lines.map((line) => `  ${line}`).join("\n")
    const head = `func.func public @main(${declared.join(", ")}) -> (${types})`
    return `module @prompt2model {\n${head} {\n${body}\n  return ${names}${types && ` : ${types}`}\n}\n}\n`
  }

  private change(op: string, x: Term, shape: readonly number[], dtype: ElementType, attributes = ""): Term {
    return this.add(`${op} ${x.name}${attributes}`, `(${typeOf(x)}) -> ${typeOf({ shape, dtype })}`, shape, dtype)
  }
}

function identity(op: string, dtype: ElementType): number {
  const isWhole = dtype === "int32"
  if (op === "maximum") return isWhole ? -(2 ** 31) : Number.NEGATIVE_INFINITY
  if (op === "minimum") return isWhole ? 2 ** 31 - 1 : Number.POSITIVE_INFINITY
  return op === "multiply" || op === "and" ? 1 : 0
}

function literal(value: number, dtype: ElementType): string {
  if (dtype === "bool") return value ? "true" : "false"
  if (dtype === "int32") return String(value | 0)
  if (dtype === "float32" && !Number.isFinite(Math.fround(value))) return `0x${bitsOf(value)}`
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "0x7FC0" : value > 0 ? "0x7F80" : "0xFF80"
  // A number with a fraction, as floats are written.
  return value.toExponential().replace(/^(-?\d)e/, "$1.0e")
}

function bitsOf(value: number): string {
  return new Uint32Array(Float32Array.of(value).buffer)[0].toString(16).toUpperCase().padStart(8, "0")
}
