/** Writes a base model that trains in a second to `folder`, and answers that. */
export function writeSmallModel(folder: string): string
