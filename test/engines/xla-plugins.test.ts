// Plug-ins that are none, or old, or cut short: one sentence each and never a crash. And what outlives a process: a training that is killed
// goes on as if nothing had been, whatever became of the programs that were kept on disk.
import { spawn } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import { deserialize } from "node:v8"
import { afterAll, describe, expect, test } from "vitest"
import { findRuntimeLibrary } from "../../kernel-lib/src/engine/onnx/runtime-library"
import { PluginTable } from "../../kernel-lib/src/engine/xla/plugin-table"
import { label, pluginFile } from "./xla"

const folder = mkdtempSync(join(tmpdir(), "xla-plugins-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const require = createRequire(import.meta.url)
const unrun = join(dirname(require.resolve("unrun")), "cli.mjs")
const koffi = require("koffi") as typeof import("koffi")

interface Said {
  readonly lines: Record<string, unknown>[]
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** Runs the child to its end, or until a line makes `isEnough` true. */
function runChild(
  words: readonly string[],
  environment: Record<string, string> = {},
  isEnough?: (line: Record<string, unknown>) => boolean,
) {
  return new Promise<Said>((resolve, reject) => {
    const child = spawn(process.execPath, [unrun, join(import.meta.dirname, "xla-child.ts"), ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    })
    const lines: Record<string, unknown>[] = []
    let stderr = ""
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = JSON.parse(text)
      lines.push(line)
      if (isEnough?.(line)) process.kill(lines[0].process as number, "SIGKILL")
    })
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ lines, code, signal, stderr }))
  })
}

describe("files that are no plug-ins", () => {
  test("are refused in a sentence, and the process lives on", async () => {
    const write = (name: string, data: string | Uint8Array) => {
      writeFileSync(join(folder, name), data)
      return join(folder, name)
    }
    const other = findRuntimeLibrary()
    const cut = (name: string, bytes: number) => {
      copyFileSync(other, join(folder, name))
      truncateSync(join(folder, name), bytes)
      return join(folder, name)
    }
    const head = readFileSync(other).subarray(0, 4096)
    const wild = Buffer.from(head)
    wild.writeBigUInt64LE(2n ** 63n, 32)
    const files = [
      write("text.so", "not a library\n"),
      write("empty.so", ""),
      write(
        "random.so",
        Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251),
      ),
      write("wild.so", wild),
      cut("head.so", 4096),
      cut("half.so", Math.floor(readFileSync(other).length / 2)),
      cut("last.so", readFileSync(other).length - 10),
      other,
      folder,
      join(folder, "nowhere.so"),
    ]
    const { lines, code, signal, stderr } = await runChild(["open", ...files])
    expect({ code, signal }, stderr).toEqual({ code: 0, signal: null })
    expect(lines.map(({ file }) => file)).toEqual(files)
    for (const line of lines) {
      expect(line).toMatchObject({ code: "engine.xla-broken", message: expect.stringMatching(/^[^\n]+: [^\n]+\.$/) })
      expect(line.message).toContain(line.file)
    }
  })

  /** struct PJRT_Api with no functions. */
  const makeTable = (size: number, major: number, minor: number) => {
    const words = new BigUint64Array(new ArrayBuffer(200 * 8))
    words[0] = BigInt(size)
    words[4] = BigInt(major) | (BigInt(minor) << 32n)
    return words
  }
  const open = (words: BigUint64Array) => () => new PluginTable(koffi, koffi.address(words), "plugin.so")

  test("a table of another version is refused, and so is one that lacks a function", () => {
    const tooOld = { code: "engine.xla-too-old" }
    expect(open(makeTable(1200, 0, 12))).toThrow(expect.objectContaining({ ...tooOld, message: expect.stringContaining("PJRT 0.12") }))
    expect(open(makeTable(1200, 1, 80))).toThrow(expect.objectContaining(tooOld))
    expect(open(makeTable(300, 0, 80))).toThrow(expect.objectContaining(tooOld))
    expect(open(makeTable(1200, 0, 80))).toThrow(expect.objectContaining(tooOld))
    expect(open(makeTable(3, 0, 80))).toThrow(expect.objectContaining({ code: "engine.xla-broken" }))
    expect(() => new PluginTable(koffi, 0n, "plugin.so")).toThrow(expect.objectContaining({ code: "engine.xla-broken" }))
  })
})

describe.skipIf(!pluginFile)(label, () => {
  test("a plug-in that is cut short is refused", async () => {
    const cut = join(folder, "cut-plugin.so")
    writeFileSync(cut, readFileSync(pluginFile!).subarray(0, 50_000_000))
    const { lines, code } = await runChild(["open", cut, pluginFile!])
    expect(code).toBe(0)
    expect(lines).toEqual([
      expect.objectContaining({ code: "engine.xla-broken", message: expect.stringContaining("cut short") }),
      { file: pluginFile, platform: "cpu" },
    ])
  })

  test("a training that is killed twice has the curve and the state of one that was left alone, also when kept programs are damaged", async () => {
    const cache = join(folder, "programs")
    const environment = { PROMPT2MODEL_XLA_CACHE: cache }
    const [whole, killed] = ["whole", "killed"].map((name) => {
      mkdirSync(join(folder, name))
      return join(folder, name)
    })
    const train = (place: string, isEnough?: (line: Record<string, unknown>) => boolean) =>
      runChild(["train", pluginFile!, place, "9"], environment, isEnough)
    const undisturbed = await train(whole)
    expect(undisturbed.code, undisturbed.stderr).toBe(0)
    const programs = readdirSync(cache).sort()
    expect(programs.length).toBeGreaterThan(1)

    await train(killed, ({ step }) => step === 3)
    for (const [index, name] of programs.entries()) {
      const bytes = readFileSync(join(cache, name))
      bytes[bytes.length - 1 - index] ^= 1
      writeFileSync(join(cache, name), index % 2 === 0 ? bytes : bytes.subarray(0, 20))
    }
    await train(killed, ({ step }) => step === 6)
    const last = await train(killed)
    expect(last.code, last.stderr).toBe(0)
    expect(last.lines[0].from).toBeGreaterThanOrEqual(6)
    const [expected, found] = [whole, killed].map((place) => deserialize(readFileSync(join(place, "state"))))
    expect(found).toEqual(expected)
    expect(readdirSync(cache).sort()).toEqual(programs)
  })
})
