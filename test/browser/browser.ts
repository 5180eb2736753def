// A browser of the user's own machine, headless, with nothing on that talks to the network.
import { accessSync, constants, existsSync, mkdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { type Browser, chromium, type Page } from "playwright-core"

const screenshots = join(__dirname, "../../test-results/browser")
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome"]
const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
]
const flags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"

/** Where the browser is; or the one line that says how to get one. */
export function findBrowser(): { executable: string } | { reason: string } {
  const folders = (process.env.PATH ?? "").split(delimiter)
  const places = [process.env.CHROME_PATH ?? "", ...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...elsewhere]
  const executable = places.find((path) => path !== "" && isExecutable(path))
  if (executable) return { executable }
  return {
    reason: "No Chromium was found for the browser tests: install one (Debian: apt-get install chromium), or name it in CHROME_PATH.",
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return existsSync(path)
  } catch {
    return false
  }
}

/** Whether missing a browser or a Python is a failure: in continuous integration it is. */
export const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"

export function launchBrowser(executable: string, moreFlags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: executable, args: [...flags.split(" "), ...moreFlags] })
}

/** Writes what the page shows to test-results/browser/NAME.png. */
export async function takeScreenshot(page: Page, name: string, { isWhole = true } = {}): Promise<void> {
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: isWhole })
}

/** Every error that the page throws or writes to its console, from now on. */
export function collectErrors(page: Page): string[] {
  const errors: string[] = []
  page.on("pageerror", (error) => errors.push(error.message))
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()))
  return errors
}
