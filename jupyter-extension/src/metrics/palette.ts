// Colours of runs that stand beside each other: the six that colour-blind readers can tell apart, then the same with dashes.
import { type ColourName, colours, textColours } from "../../../kernel-lib/src/display/colours"

const order: readonly ColourName[] = ["blue", "orange", "green", "pink", "red", "grey"]
const dashes = ["solid", "dash", "dot"] as const

export interface RunColour {
  readonly colour: string
  readonly textColour: string
  readonly dash: (typeof dashes)[number]
}

/** More lines than this would have the same look. */
export const mostColours = order.length * dashes.length

export function colourOfRun(place: number): RunColour {
  const name = order[place % order.length]
  return { colour: colours[name], textColour: textColours[name], dash: dashes[Math.floor(place / order.length) % dashes.length] }
}
