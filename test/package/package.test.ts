// The packed library in an empty project: what npm would publish, unpacked beside the dependencies that npm would install.
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = join(__dirname, "../..")
const project = mkdtempSync(join(tmpdir(), "prompt2model-package-"))
const modules = join(project, "node_modules")

beforeAll(() => {
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
      cwd: join(root, "kernel-lib"),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  )
  mkdirSync(join(modules, "prompt2model"), { recursive: true })
  execFileSync("tar", ["-xzf", join(project, filename), "--strip-components=1", "-C", join(modules, "prompt2model")])
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (!["prompt2model", "prompt2model-test", "prompt2model-notebooks", "jupyterlab-prompt2model", ".package-lock.json"].includes(name))
      symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true }))
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

function run(file: string, text: string): string {
  writeFileSync(join(project, file), text)
  const place = join(project, file)
  const { status, stdout, stderr } = spawnSync(process.execPath, [place], { cwd: dirname(place), encoding: "utf8" })
  expect(stderr).toBe("")
  expect(status).toBe(0)
  return stdout.trim()
}

const useIt = `
  const spec = await parsePrompt('Turn dates into ISO 8601.\\ninput="3 May 1999"\\noutput="1999-05-03"')
  const candidates = await retrieveDatasets(spec, { hub: bundledHub() })
  console.log(spec.demonstrations.length, candidates.length > 0, Dataset.from([{ input: "a", output: "b" }]).length)`

describe("the packed library", () => {
  it("is used as an ES module", () => {
    expect(run("use.mjs", `import { bundledHub, Dataset, parsePrompt, retrieveDatasets } from "prompt2model"\n${useIt}`)).toBe("1 true 1")
  })

  it("is used as CommonJS", () => {
    expect(
      run(
        "use.cjs",
        `const { bundledHub, Dataset, parsePrompt, retrieveDatasets } = require("prompt2model")\nvoid (async () => {${useIt}})()`,
      ),
    ).toBe("1 true 1")
  })

  it("knows its errors and datasets across both copies", () => {
    const text = `import { createRequire } from "node:module"
import { isPrompt2ModelError } from "prompt2model"
const { parsePrompt } = createRequire(import.meta.url)("prompt2model")
const error = await parsePrompt("").catch((thrown) => thrown)
console.log(isPrompt2ModelError(error), error.code)`
    expect(run("both.mjs", text)).toBe("true prompt.empty")
  })

  it("has a command line", () => {
    const stdout = execFileSync(process.execPath, [join(modules, "prompt2model/bin/prompt2model.mjs"), "--help"], {
      encoding: "utf8",
      cwd: project,
    })
    expect(stdout).toContain("run PROMPT.txt")
  })

  // tfjs-node is an optional peer: nobody who lacks it hears of it but who asks which engines there are.
  const asksForEngines = `import { describeEngines } from "prompt2model"
const engines = await describeEngines()
const { isAvailable, runtime, howToGet } = engines.find(({ name }) => name === "tensorflow")
console.log(JSON.stringify({ isAvailable, runtime, howToGet }))`

  it("does without TensorFlow", () => {
    expect(JSON.parse(run("engines.mjs", asksForEngines))).toEqual({
      isAvailable: false,
      howToGet: expect.stringContaining("`npm install @tensorflow/tfjs-node`"),
    })
  })

  const tfjsNode = join(root, ".cache/tensorflow/node_modules/@tensorflow/tfjs-node")
  it.skipIf(!existsSync(tfjsNode))("uses tfjs-node that is installed beside it (here: that of npm run setup:tensorflow)", () => {
    const place = join(project, "with-tensorflow")
    mkdirSync(join(place, "node_modules/@tensorflow"), { recursive: true })
    symlinkSync(tfjsNode, join(place, "node_modules/@tensorflow/tfjs-node"))
    expect(JSON.parse(run("with-tensorflow/engines.mjs", asksForEngines))).toMatchObject({
      isAvailable: true,
      runtime: expect.stringMatching(/^tensorflow 2\./),
    })
  })

  it("holds what it needs and nothing else", () => {
    const files = readdirSync(join(modules, "prompt2model"), { recursive: true, encoding: "utf8" })
    expect(files).toEqual(
      expect.arrayContaining([
        "README.md",
        "dist/index.cjs",
        "dist/index.mjs",
        "dist/index.d.cts",
        "dist/index.d.mts",
        "data/datasets.jsonl",
      ]),
    )
    expect(files.filter((file) => /(^|\/)(src|test|scripts)\//.test(file))).toEqual([])
  })

  for (const [version, compiler] of [
    ["5.0", "@tslab/typescript-for-tslab/lib/tsc.js"],
    ["5.9", "typescript/bin/tsc"],
  ]) {
    for (const [module, moduleResolution] of [
      ["commonjs", "node"],
      ["node16", "node16"],
      ["esnext", "bundler"],
    ]) {
      it(`has types that TypeScript ${version} reads with moduleResolution ${moduleResolution}`, () => {
        const file = `types-${version}-${moduleResolution}.ts`
        const text = `import { Dataset, fineTune, type Report, type Teacher } from "prompt2model"
const own: Dataset = Dataset.from([{ input: "a", output: "b" }])
const length: number = own.length
// @ts-expect-error a dataset has no such member: its type must be known, not any
own.nothing
export const train: typeof fineTune = fineTune
export const read = (report: Report<"exactMatch">): number => report.scores.exactMatch + length
export const teacher: Teacher = { name: "x", complete: async () => ({ texts: [], finishReasons: [], usage: { inputTokens: 0, outputTokens: 0 }, usd: 0 }) }
`
        writeFileSync(join(project, file), text)
        const program = join(root, "node_modules", compiler)
        const { stdout, status } = spawnSync(
          process.execPath,
          [
            program,
            "--noEmit",
            "--strict",
            "--target",
            "es2022",
            "--module",
            module,
            "--moduleResolution",
            moduleResolution,
            "--types",
            "node",
            file,
          ],
          { cwd: project, encoding: "utf8" },
        )
        expect(stdout).toBe("")
        expect(status).toBe(0)
      })
    }
  }
})
