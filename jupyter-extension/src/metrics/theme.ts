// JupyterLab's colours as charts need them, read anew when the theme changes.

export interface ChartColours {
  readonly ink: string
  readonly mute: string
  readonly line: string
  readonly font: string
}

export function readChartColours(element: HTMLElement): ChartColours {
  const style = getComputedStyle(element)
  const isDark = document.body.dataset.jpThemeLight === "false"
  const read = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback
  return {
    ink: style.color || (isDark ? "#fff" : "#1f2328"),
    mute: isDark ? "#9a9fa5" : "#656d76",
    line: "rgba(138, 147, 155, 0.25)",
    font: read("--jp-ui-font-family", "system-ui, sans-serif"),
  }
}

/** Calls `act` whenever the theme changes; the answer ends that. */
export function watchTheme(act: () => void): () => void {
  const observer = new MutationObserver(act)
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] })
  return () => observer.disconnect()
}
