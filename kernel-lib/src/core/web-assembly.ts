// The part of WebAssembly that we use: the compiler's types for Node do not declare it.

export interface WasmMemory {
  readonly buffer: ArrayBufferLike
}

interface WasmGlobal {
  readonly Memory: new (descriptor: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { readonly exports: object }
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WasmGlobal }).WebAssembly
