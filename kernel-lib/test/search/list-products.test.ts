// Products with 8-bit vectors in WebAssembly against their formula, and the WebAssembly against its text.
import { describe, expect, it, test } from "vitest"
import { assemble } from "../../scripts/build-wasm.mjs"
import { Random } from "../../src/core/random"
import { ListProducts } from "../../src/search/disk/list-products"
import { multiplyBytesModule } from "../../src/search/disk/multiply-bytes.wasm"

const headBytes = 8

describe("ListProducts", () => {
  it.each([1, 7, 16, 33, 384, 1024])("multiplies %i dimensions, whatever lies behind a vector", (dimensions) => {
    const random = new Random(`products ${dimensions}`)
    const longest = 9
    const lists = new ListProducts(dimensions, headBytes, longest)
    for (const count of [longest, 0, 4]) {
      const query = Float32Array.from({ length: dimensions }, () => random.normal())
      for (let i = 0; i < lists.entries.length; i++) lists.entries[i] = random.integer(256)
      lists.setQuery(query)
      const { products, step } = lists.multiply(count)
      for (let at = 0; at < count; at++) {
        let [exact, size] = [0, 0]
        for (let i = 0; i < dimensions; i++) {
          const product = query[i] * lists.entries.readInt8(at * (headBytes + dimensions) + headBytes + i)
          exact += product
          size += Math.abs(product)
        }
        expect(Math.abs(products[at] * step - exact)).toBeLessThan(1e-3 * size + 1e-6)
      }
    }
  })

  it("neither overflows on vectors of one size nor divides by an empty one", () => {
    const lists = new ListProducts(4096, headBytes, 1)
    lists.entries.fill(0x80)
    for (const [value, product] of [
      [1, -128 * 4096],
      [1e-9, -128e-9 * 4096],
      [0, 0],
    ]) {
      lists.setQuery(new Float32Array(4096).fill(value))
      const { products, step } = lists.multiply(1)
      expect(Math.abs(products[0] * step - product)).toBeLessThanOrEqual(1e-3 * Math.abs(product))
    }
  })
})

test("the WebAssembly that is shipped is its text, assembled", async () => {
  expect(multiplyBytesModule).toBe((await assemble("multiply-bytes")).toString("base64"))
})
