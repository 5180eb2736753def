// Accuracy of labels.
import { defineMeanMetric } from "./metric"

/** Share of labels, 0 to 1, that equal their reference; white space around a label does not count. */
export const accuracy = defineMeanMetric("accuracy", "accuracy", (answer, reference) => (answer.trim() === reference.trim() ? 1 : 0))
