// Whether tfjs-node's add-on works: one training step. node scripts/check-tfjs-node.cjs FOLDER_OF_THE_PACKAGE
const util = require("node:util")

// Node 23 has these no more, and tfjs-node 4.22 calls them.
util.isNullOrUndefined ??= (value) => value === null || value === undefined
util.isArray ??= Array.isArray
process.env.TF_CPP_MIN_LOG_LEVEL ??= "3"

const tf = require(process.argv[2])
const weight = tf.variable(tf.scalar(2))
const before = 4
tf.train.sgd(0.1).minimize(() => tf.square(weight))
const after = tf.square(weight).dataSync()[0]
if (!(after < before)) {
  console.log(`A training step on the add-on went from ${before} to ${after}.`)
  process.exit(1)
}
console.log(`tfjs-node ${tf.version["tfjs-node"]} works too.`)
