/** The bytes of an optimizer's .wat, assembled. */
export function assembleOptimizer(name: "adamw" | "adafactor"): Promise<Buffer>
