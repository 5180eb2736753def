// An output that is a reshaped value is given as it was made, since a reshape into the caller's memory would copy it: for callers that
// bind memory of the right size and do not mind the shape.
import { Recording, type Value } from "../recording"
import { producedBy } from "./rewrite"

export function unwrapOutputs(recording: Recording): Recording {
  const { name, nodes, outputs } = recording
  return new Recording(name, nodes, Object.fromEntries(Object.entries(outputs).map(([output, value]) => [output, unwrap(value)])))
}

function unwrap(value: Value): Value {
  const reshape = producedBy(value, "Reshape")
  // An input's memory is not the output's: it has to be copied.
  const isMade = reshape && !["Input", "Parameter", "Constant"].includes(reshape.inputs[0].producer.operation)
  return isMade ? unwrap(reshape.inputs[0]) : value
}
