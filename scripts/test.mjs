// npm test: installs what the tests need, runs them all, and closes with the line `N passed, N failed, N skipped`.
// `--unit` runs only the library's unit tests; any other words are passed to vitest.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildLibrary, checkNode, installPackages, root } from "./install.mjs"

checkNode()
installPackages("all")
buildLibrary({ withTypes: true })

const words = process.argv.slice(2)
const isUnit = words.includes("--unit")
const folder = mkdtempSync(join(tmpdir(), "prompt2model-test-"))
const report = join(folder, "report.json")
const vitest = join(root, "node_modules/vitest/vitest.mjs")
const parameters = [
  "run",
  ...(isUnit ? ["--project", "unit"] : []),
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...words.filter((word) => word !== "--unit"),
]
const { status } = spawnSync(process.execPath, [vitest, ...parameters], { cwd: root, stdio: ["ignore", "inherit", "inherit"] })
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = JSON.parse(readFileSync(report, "utf8"))
  // A file that cannot be loaded has no failed test, and still must not pass unseen.
  const failed = numFailedTests + (numFailedTests === 0 && status !== 0 ? Math.max(1, numFailedTestSuites) : 0)
  console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`)
  process.exitCode = failed > 0 ? 1 : (status ?? 1)
} catch {
  console.log("0 passed, 1 failed")
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
