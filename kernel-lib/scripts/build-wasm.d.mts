/** The bytes of adamw.wat, assembled. */
export function assembleAdamW(): Promise<Buffer>
