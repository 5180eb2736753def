// The project's own Jupyter environment, as `npm run lab` makes it.
import { join } from "node:path"

export { findPython, type JupyterEnvironment, openJupyterEnvironment } from "../../scripts/jupyter.mjs"

export const root = join(__dirname, "../..")
