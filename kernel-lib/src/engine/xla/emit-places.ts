// Operations that read or write places by number: StableHLO's gather and scatter, which take a table of dimensions each.
import { type ModuleBuilder, type Term, typeOf } from "./module-builder"

/** Slices of `x` along `axis` by number, where that axis was. */
export function gather(module: ModuleBuilder, x: Term, indices: Term, axis: number, shape: readonly number[]): Term {
  const before = x.shape.slice(0, axis).map((_, at) => at)
  const after = x.shape.slice(axis + 1).map((_, at) => axis + indices.shape.length + at)
  const dimensions = [
    `offset_dims = [${[...before, ...after].join(", ")}]`,
    `collapsed_slice_dims = [${axis}]`,
    `start_index_map = [${axis}]`,
    `index_vector_dim = ${indices.shape.length}`,
  ]
  const sizes = x.shape.map((length, at) => (at === axis ? 1 : length))
  const numbers = `dimension_numbers = #stablehlo.gather<${dimensions.join(", ")}>`
  const attributes = `${numbers}, indices_are_sorted = false, slice_sizes = ${integers(sizes)}`
  const type = `(${typeOf(x)}, ${typeOf(indices)}) -> ${typeOf({ shape, dtype: x.dtype })}`
  return module.add(`"stablehlo.gather"(${x.name}, ${indices.name}) <{${attributes}}>`, type, shape, x.dtype)
}

/** `target` with `rows` [count, ...] added at `ids` int32 [count]. */
export function addRows(module: ModuleBuilder, target: Term, ids: Term, rows: Term): Term {
  const indices = module.reshape(ids, [ids.shape[0], 1])
  return scatter(module, { target, indices, rows, axes: [0], isSum: true })
}

interface Scatter {
  readonly target: Term
  /** int32 [count, axes.length] */
  readonly indices: Term
  /** [count, ...] */
  readonly rows: Term
  /** The target's axes that the indices are of, the first ones. */
  readonly axes: readonly number[]
  /** Rows are added, not set. */
  readonly isSum?: boolean
}

export function scatter(module: ModuleBuilder, { target, indices, rows, axes, isSum = false }: Scatter): Term {
  const scalar = typeOf({ shape: [], dtype: target.dtype })
  const windows = rows.shape.slice(1).map((_, axis) => axis + 1)
  const dimensions = [
    `update_window_dims = [${windows.join(", ")}]`,
    `inserted_window_dims = [${axes.join(", ")}]`,
    `scatter_dims_to_operand_dims = [${axes.join(", ")}]`,
    "index_vector_dim = 1",
  ]
  const numbers = `scatter_dimension_numbers = #stablehlo.scatter<${dimensions.join(", ")}>`
  const attributes = `${numbers}, indices_are_sorted = false, unique_indices = false`
  const combine = isSum ? [`    %sum = stablehlo.add %old, %new : ${scalar}`, "%sum"] : ["", "%new"]
  const region = `^bb0(%old: ${scalar}, %new: ${scalar}):\n${combine[0]}\n    stablehlo.return ${combine[1]} : ${scalar}`
  const code = `"stablehlo.scatter"(${target.name}, ${indices.name}, ${rows.name}) <{${attributes}}> ({\n${region}\n  })`
  const type = `(${typeOf(target)}, ${typeOf(indices)}, ${typeOf(rows)}) -> ${typeOf(target)}`
  return module.add(code, type, target.shape, target.dtype)
}

function integers(values: readonly number[]): string {
  return values.length === 0 ? "array<i64>" : `array<i64: ${values.join(", ")}>`
}
