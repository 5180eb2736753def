// Where ONNX Runtime's library is: inside the package onnxruntime-node, which carries one for each platform.
import { existsSync, readdirSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { EngineError } from "../../core/errors"

const names: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^libonnxruntime\.so(\.\d+)*$/,
  darwin: /^libonnxruntime(\.\d+)*\.dylib$/,
  win32: /^onnxruntime\.dll$/,
}

/** @throws EngineError `engine.onnx-missing` with what to install */
export function findRuntimeLibrary(platform = process.platform, architecture = process.arch, packageFolder = findPackage()): string {
  const pattern = names[platform]
  const binaries = join(packageFolder, "bin")
  const apis = existsSync(binaries) ? readdirSync(binaries).filter((name) => name.startsWith("napi-")) : []
  for (const api of apis.sort().reverse()) {
    const folder = join(binaries, api, platform, architecture)
    const file = pattern && existsSync(folder) ? readdirSync(folder).find((name) => pattern.test(name)) : undefined
    if (file) return join(folder, file)
  }
  throw new EngineError(
    "engine.onnx-missing",
    `onnxruntime-node has no library for ${platform} on ${architecture}: use another machine, or the eager engine.`,
  )
}

function findPackage(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"))
  } catch (cause) {
    throw new EngineError("engine.onnx-missing", "The package onnxruntime-node is not installed: run `npm install onnxruntime-node`.", {
      cause,
    })
  }
}
