// Tables on disk: read from every format that is known here, written as Parquet, JSON lines or CSV.
export { type ReadDatasetOptions, readDataset, writeDataset } from "./dataset-file"
export { type AsyncBuffer, type ParquetColumn, type ParquetSummary, readParquet, readParquetSummary, writeParquetFile } from "./parquet"
export { readTable } from "./read-table"
export { explainTableError, type ReadTableOptions, type Table } from "./table"
export { formatCsv, writeRowsJsonl } from "./text-tables"
