// What stands between the two layers of a feed-forward.
import * as tf from "@tensorflow/tfjs-core"
import { gelu, relu, silu } from "../engine"

/** By transformers' names; `gelu_new` is the one with tanh, `quick_gelu` the one with a logistic function. */
export type Activation = "relu" | "gelu" | "gelu_new" | "quick_gelu" | "silu" | "tanh"

/** x [...] -> [...] */
export function activate(activation: Activation, x: tf.Tensor): tf.Tensor {
  switch (activation) {
    case "relu":
      return relu(x)
    case "gelu":
      return gelu(x, "erf")
    case "gelu_new":
      return gelu(x, "tanh")
    case "quick_gelu":
      return tf.div(silu(tf.mul(x, quickness)), quickness)
    case "silu":
      return silu(x)
    case "tanh":
      return tf.tanh(x)
  }
}

/** x * logistic(1.702 x) */
const quickness = 1.702
