// What is here and what is not, in one sentence each.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { describeEngines, selectEngine } from "../../src/engine"
import { openRuntime } from "../../src/engine/onnx/runtime-api"
import { findRuntimeLibrary } from "../../src/engine/onnx/runtime-library"

const folder = mkdtempSync(join(tmpdir(), "engine-"))
afterAll(() => rmSync(folder, { recursive: true }))

test("auto takes onnx where it works", async () => {
  expect((await selectEngine("auto")).name).toBe("onnx")
  const found = await describeEngines()
  expect(found.map(({ name, isAvailable, isChosen }) => [name, isAvailable, isChosen])).toEqual([
    ["onnx", true, true],
    ["tensorflow", false, false],
    ["xla", false, false],
    ["eager", true, false],
  ])
  expect(found[0].runtime).toMatch(/^onnxruntime \d+\.\d+\.\d+$/)
  for (const { isAvailable, howToGet, reason } of found) {
    expect(reason).toMatch(/\.$/)
    expect(howToGet === undefined).toBe(isAvailable)
  }
})

test("says which engines this version does not have", async () => {
  await expect(selectEngine("tensorflow")).rejects.toMatchObject({
    code: "engine.not-available",
    message: expect.stringContaining("no tensorflow engine yet"),
  })
  await expect(selectEngine("xla")).rejects.toMatchObject({ code: "engine.not-available" })
  await expect(selectEngine("torch" as never)).rejects.toThrow("There is no engine torch: choose auto, onnx, tensorflow, xla, eager.")
})

test.each([
  ["linux", "x64", "libonnxruntime.so.1"],
  ["darwin", "arm64", "libonnxruntime.1.30.0.dylib"],
  ["win32", "x64", "onnxruntime.dll"],
] as [NodeJS.Platform, NodeJS.Architecture, string][])("finds the library of %s %s", (platform, architecture, file) => {
  const place = join(folder, platform, "bin", "napi-v6", platform, architecture)
  mkdirSync(place, { recursive: true })
  for (const name of ["onnxruntime_binding.node", "DirectML.dll", file]) writeFileSync(join(place, name), "")
  expect(findRuntimeLibrary(platform, architecture, join(folder, platform))).toBe(join(place, file))
})

test("says when there is no library for a machine", () => {
  expect(() => findRuntimeLibrary("aix", "ppc64", folder)).toThrow(
    "onnxruntime-node has no library for aix on ppc64: use another machine, or the eager engine.",
  )
})

test("a broken library and a missing koffi are one sentence each", () => {
  const file = join(folder, "libonnxruntime.so.1")
  writeFileSync(file, "not a library")
  const sentence = (open: () => unknown): string => {
    try {
      open()
    } catch (error) {
      return (error as Error).message
    }
    return "no error"
  }
  const broken = sentence(() => openRuntime({ file }))
  expect(broken).toMatch(/^ONNX Runtime could not be loaded from .*: reinstall onnxruntime-node and koffi\.$/)
  expect(broken).not.toContain("\n")
  const loadKoffi = () => {
    throw new Error("Cannot find the native Koffi module\nRequire stack: ...")
  }
  expect(sentence(() => openRuntime({ loadKoffi }))).toMatch(
    /^ONNX Runtime could not be loaded from .* \(Cannot find the native Koffi module\): reinstall/,
  )
})

test("a library that is something else is refused", () => {
  expect(() => openRuntime({ file: process.execPath })).toThrow(/^ONNX Runtime could not be loaded from/)
})
