// Experiments: what calls the pipeline, or reads what others made with it, many times over.

export { reproduceTable, type TableName, tableNames } from "./reproduce-table/reproduce-table"
export type { ReproducedCell } from "./reproduce-table/reproduced-table"
export { ReproducedTable } from "./reproduce-table/reproduced-table"
