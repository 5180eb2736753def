// Every example in the doc comment of an export compiles and runs, beside small values of the names that the examples use.
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { afterAll, describe, expect, it } from "vitest"

const root = join(__dirname, "../..")
const folder = mkdtempSync(join(__dirname, ".examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The examples of all exported declarations, by name. */
function readExamples(): Map<string, string> {
  const entry = join(root, "kernel-lib/src/index.ts")
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const program = ts.createProgram([entry], { ...options, noEmit: true })
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile)
  const examples = new Map<string, string>()
  for (const symbol of checker.getExportsOfModule(module as ts.Symbol)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    for (const tag of target.getJsDocTags(checker)) {
      if (tag.name === "example") examples.set(symbol.name, ts.displayPartsToString(tag.text))
    }
  }
  return examples
}

/** Values of the names that examples use: a tiny task, so that each is quick. */
const prelude = `
const text = 'Turn dates into ISO 8601.\\ninput="3rd of May 1999"\\noutput="1999-05-03"'
const own = Dataset.from(Array.from({ length: 24 }, (_, i) => ({ input: \`\${i + 1} May 1999\`, output: \`1999-05-\${String(i + 1).padStart(2, "0")}\` })))
const spec = new PromptSpec({ instruction: "Turn dates into ISO 8601.", demonstrations: [{ input: "3rd of May 1999", output: "1999-05-03" }] })
const hub = bundledHub()
`

const examples = readExamples()
const exports = new Set(Object.keys(await import("prompt2model")))

describe("the examples in doc comments", () => {
  it("are there", () => {
    expect(examples.size).toBeGreaterThan(3)
  })

  for (const [name, code] of examples) {
    it(`${name}'s compiles and runs`, () => {
      const names = [...new Set([...`${prelude}${code}`.matchAll(/\b[A-Za-z]\w+\b/g)].map(([word]) => word))]
      const exported = names.filter((word) => exports.has(word))
      const file = join(folder, `${name}.ts`)
      const source = `import { ${exported.join(", ")} } from "prompt2model"\n${prelude}\n{\n${code}\n}\nvoid text; void own; void spec; void hub\nexport {}\n`
      writeFileSync(file, source)
      const program = ts.createProgram([file], {
        noEmit: true,
        strict: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        skipLibCheck: true,
        types: ["node"],
      })
      const problems = ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
      expect(problems).toEqual([])
      const compiled = join(folder, `${name}.mjs`)
      writeFileSync(
        compiled,
        ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText,
      )
      const { status, stderr } = spawnSync(process.execPath, [compiled], {
        cwd: folder,
        encoding: "utf8",
        timeout: 120_000,
        env: { ...process.env, OPENAI_API_KEY: "not-used" },
      })
      expect(stderr).toBe("")
      expect(status).toBe(0)
    })
  }
})
