// Who takes part: we on XLA, our other engines where they are here, and PyTorch on the same device, eager and compiled.
import { dirname, isAbsolute } from "node:path"
import { type ContenderCommand, pythonContender, typeScriptContender } from "../harness/contender"

export interface Entrants {
  readonly ours: ContenderCommand
  /** Our other engines. */
  readonly engines: readonly ContenderCommand[]
  readonly pytorch: readonly ContenderCommand[]
}

/** `python` has PyTorch and transformers; its environment may have a plug-in for XLA too. */
export function listEntrants(python: string): Entrants {
  const environment: Record<string, string> = isAbsolute(python) ? { VIRTUAL_ENV: dirname(dirname(python)) } : {}
  const enter = (engine: string) => ({ ...typeScriptContender(`ours on ${engine}`, "accelerators/ours.ts", [engine]), environment })
  const [ours, ...engines] = ["xla", "onnx", "tensorflow"].map(enter)
  const pytorch = (
    [
      ["PyTorch eager", "eager"],
      ["PyTorch torch.compile", "compile"],
    ] as const
  ).map(([name, way]) => pythonContender(name, python, "accelerators/peer.py", { parameters: [way] }))
  return { ours, engines, pytorch }
}
