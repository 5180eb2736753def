/** The bytes of one of the library's .wat, assembled. */
export function assemble(name: "adamw" | "adafactor" | "multiply-bytes"): Promise<Buffer>
