// The extension's plug-ins, a line each. What is large is loaded when it is first needed.
import { demo } from "./demo/plugin"
import { metricOutputs, runsPanel } from "./metrics/plugin"
import { settings } from "./settings/settings"
import { documents, outputs } from "./viewer/plugins"

export default [outputs, documents, metricOutputs, runsPanel, demo, settings]
