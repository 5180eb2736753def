// What draws results, in one part that is loaded with the first of them.
export { readResultPayload } from "./read-results"
export { renderReport, renderTable } from "./report-view"
export { TrainingView } from "./training-view"
