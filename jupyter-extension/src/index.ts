// The extension's plug-ins, a line each. What is large is loaded when it is first needed.
import { documents, outputs } from "./viewer/plugins"

export default [outputs, documents]
