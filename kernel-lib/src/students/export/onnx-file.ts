// One ONNX file of an export.
export interface OnnxFile {
  /** Without folder and ending: `encoder_model`. */
  readonly name: string
  readonly bytes: Uint8Array
}
