// Plotly's parts have no types of their own; what is used of them is said in `load-plotly.ts`.
declare module "plotly.js/lib/core" {
  const core: { register(modules: readonly unknown[]): void }
  export default core
}
declare module "plotly.js/lib/bar"
declare module "plotly.js/lib/heatmap"
declare module "plotly.js/lib/parcoords"
