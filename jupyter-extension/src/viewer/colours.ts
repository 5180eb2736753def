// JupyterLab's colours as the canvas needs them, read anew when the theme changes.
import type { DataGrid } from "@lumino/datagrid"

export interface GridColours {
  readonly ink: string
  readonly mute: string
  readonly line: string
  readonly faintLine: string
  readonly paper: string
  readonly fill: string
  readonly chosen: string
  readonly cursor: string
  readonly off: string
  readonly uiFont: string
  readonly monoFont: string
}

export function readColours(element: HTMLElement): GridColours {
  const style = getComputedStyle(element)
  const read = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback
  const isDark = document.body.dataset.jpThemeLight === "false"
  return {
    ink: read("--jp-content-font-color1", isDark ? "#fff" : "#1f2328"),
    mute: read("--jp-content-font-color2", isDark ? "#9a9fa5" : "#656d76"),
    line: read("--jp-border-color2", isDark ? "#3a3f45" : "#d8dee4"),
    faintLine: read("--jp-border-color3", isDark ? "#26292d" : "#eef1f4"),
    paper: read("--jp-layout-color1", isDark ? "#111" : "#fff"),
    // The blue of the pictures needs the darkest ground.
    fill: isDark ? read("--jp-layout-color1", "#111") : read("--jp-layout-color2", "#f5f7f9"),
    chosen: isDark ? "rgba(86, 180, 233, 0.2)" : "rgba(0, 114, 178, 0.1)",
    cursor: isDark ? "#56b4e9" : "#0072b2",
    off: isDark ? "#4a525a" : "#c9d3dc",
    uiFont: read("--jp-ui-font-family", "system-ui, sans-serif"),
    monoFont: read("--jp-code-font-family", "ui-monospace, Menlo, monospace"),
  }
}

export function gridStyle(colours: GridColours): DataGrid.Style {
  return {
    voidColor: colours.paper,
    backgroundColor: colours.paper,
    headerBackgroundColor: colours.fill,
    gridLineColor: colours.faintLine,
    verticalGridLineColor: colours.line,
    horizontalGridLineColor: colours.faintLine,
    headerGridLineColor: colours.line,
    headerVerticalGridLineColor: colours.line,
    headerHorizontalGridLineColor: colours.line,
    selectionFillColor: colours.chosen,
    selectionBorderColor: "transparent",
    cursorFillColor: "transparent",
    cursorBorderColor: colours.cursor,
    headerSelectionFillColor: colours.chosen,
    headerSelectionBorderColor: "transparent",
    scrollShadow: { size: 0, color1: "transparent", color2: "transparent", color3: "transparent" },
  }
}
