export interface JupyterEnvironment {
  readonly python: string
  /** For every process of Jupyter: nothing of the user's own is read or written. */
  readonly variables: Readonly<Record<string, string>>
}

export function findPython(): { command: string } | { reason: string }
export function openJupyterEnvironment(
  command: string,
  options?: { withExtension?: boolean; say?: (sentence: string) => void },
): JupyterEnvironment
