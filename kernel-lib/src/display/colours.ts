// Six colours that colour-blind readers can tell apart (Okabe and Ito's, with a plainer red), each with one meaning everywhere.

export const colours = {
  /** Train, and ours. */
  blue: "#0072b2",
  /** Validation, and duplicates. */
  orange: "#e69f00",
  /** Accepted. */
  green: "#009e73",
  /** Near-duplicates. */
  pink: "#cc79a7",
  /** Wrong and malformed. */
  red: "#c0392b",
  /** Others. */
  grey: "#8a939b",
} as const

export type ColourName = keyof typeof colours

/** The same colours dark enough to be read as text on white and light enough on black: an image cannot know the theme. */
export const textColours: Readonly<Record<ColourName, string>> = {
  blue: "#1f7fbf",
  orange: "#b87f00",
  green: "#0a8f6a",
  pink: "#b0609a",
  red: "#cf4a3b",
  grey: "#7d868f",
}

/** The colour of rows that were rejected for `reason`. */
export function colourOfReason(reason: string): ColourName {
  if (/near/i.test(reason)) return "pink"
  if (/duplicate/i.test(reason)) return "orange"
  if (/malformed|wrong|format|invalid|parse|copies|empty/i.test(reason)) return "red"
  return "grey"
}
