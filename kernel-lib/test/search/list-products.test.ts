// Products with 8-bit vectors in WebAssembly against their formula, and the WebAssembly against its text.
import { describe, expect, it, test } from "vitest"
import { assemble } from "../../scripts/build-wasm.mjs"
import { Random } from "../../src/core/random"
import { entryHeadBytes, ListProducts } from "../../src/search/disk/list-products"
import { multiplyBytesModule } from "../../src/search/disk/multiply-bytes.wasm"
import { TopRows } from "../../src/search/top-rows"

const drawVectors = (random: Random, count: number, dimensions: number) =>
  Float32Array.from({ length: count * dimensions }, () => random.normal())

/** The product with each vector, and how much it may be off: each of the vector's numbers by half a step, and the query by its own rounding. */
function multiplyPlainly(query: Float32Array, vectors: Float32Array): { product: number; slack: number }[] {
  return Array.from({ length: vectors.length / query.length }, (_, row) => {
    const vector = vectors.subarray(row * query.length, (row + 1) * query.length)
    let [product, halfSteps, size] = [0, 0, 0]
    const halfStep = Math.max(...vector.map(Math.abs)) / 254
    for (const [i, value] of query.entries()) {
      product += value * vector[i]
      halfSteps += Math.abs(value) * halfStep
      size += Math.abs(value * vector[i])
    }
    return { product, slack: halfSteps + 1e-3 * size + 1e-6 }
  })
}

describe("ListProducts", () => {
  it.each([1, 7, 16, 33, 384, 1024])("multiplies %i dimensions, whatever lies behind a vector", (dimensions) => {
    const random = new Random(`products ${dimensions}`)
    const longest = 9
    const lists = new ListProducts(dimensions, longest)
    for (const count of [longest, 0, 4]) {
      for (let i = 0; i < lists.entries.length; i++) lists.entries[i] = random.integer(256)
      const [query, vectors] = [drawVectors(random, 1, dimensions), drawVectors(random, count, dimensions)]
      lists.setEntries(vectors)
      lists.setQuery(query)
      const top = new TopRows(longest)
      expect(lists.offer(top, 0, count, longest)).toBe(true)
      const { rows, scores } = top.rank()
      expect([...rows].sort()).toEqual(Array.from({ length: count }, (_, row) => row))
      const expected = multiplyPlainly(query, vectors)
      for (const [place, row] of rows.entries()) {
        expect(Math.abs(scores[place] - expected[row].product)).toBeLessThan(expected[row].slack)
      }
    }
  })

  it.each([1, 7, 16, 33, 384])("finds the nearest in %i dimensions, or one that is hardly less near", (dimensions) => {
    const random = new Random(`nearest ${dimensions}`)
    const [count, asked] = [21, 10]
    const lists = new ListProducts(dimensions, count)
    const entries = drawVectors(random, count, dimensions)
    lists.setEntries(entries)
    const queries = drawVectors(random, asked, dimensions)
    const nearest = lists.findNearest(queries)
    expect(nearest).toHaveLength(asked)
    for (const [row, place] of nearest.entries()) {
      const products = multiplyPlainly(queries.subarray(row * dimensions, (row + 1) * dimensions), entries)
      const { product, slack } = products[place]
      for (const other of products) expect(other.product - product).toBeLessThanOrEqual(other.slack + slack)
    }
  })

  it("says where a row cannot be, if the row would be among the best", () => {
    const lists = new ListProducts(4, 3)
    lists.setEntries(Float32Array.from([0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0]))
    lists.setQuery(Float32Array.from([0.1, 0, 0.2, 0.3]))
    expect(lists.offer(new TopRows(3), 0, 3, 3)).toBe(true)
    expect(lists.offer(new TopRows(3), 0, 3, 2)).toBe(false)
    expect(lists.offer(new TopRows(3), 1, 1, 1)).toBe(false)
    expect(lists.offer(new TopRows(1), 0, 3, 2)).toBe(true)
  })

  it("neither overflows on vectors of one size nor divides by an empty one", () => {
    const lists = new ListProducts(4096, 1)
    lists.setEntries(new Float32Array(4096).fill(-1))
    for (const [value, product] of [
      [1, -4096],
      [1e-9, -4096e-9],
      [0, 0],
    ]) {
      lists.setQuery(new Float32Array(4096).fill(value))
      const top = new TopRows(1)
      lists.offer(top, 0, 1, 1)
      expect(Math.abs(top.rank().scores[0] - product)).toBeLessThanOrEqual(1e-3 * Math.abs(product))
    }
    lists.entries.fill(0, entryHeadBytes)
    expect(lists.findNearest(new Float32Array(4096))).toEqual(Uint32Array.of(0))
  })
})

test("the WebAssembly that is shipped is its text, assembled", async () => {
  expect(multiplyBytesModule).toBe((await assemble("multiply-bytes")).toString("base64"))
})
