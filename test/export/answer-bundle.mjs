// Answers of an ONNX bundle by transformers.js: one line of JSON. node answer-bundle.mjs PACKAGE FOLDER CLASS INPUTS_JSON
import { basename, dirname } from "node:path"
import { pathToFileURL } from "node:url"

const [packageEntry, folder, className, inputs] = process.argv.slice(2)
const transformers = await import(pathToFileURL(packageEntry).href)
const { AutoTokenizer, env } = transformers
env.allowRemoteModels = false
env.localModelPath = dirname(folder)

const tokenizer = await AutoTokenizer.from_pretrained(basename(folder))
const model = await transformers[className].from_pretrained(basename(folder))
const answers = []
for (const text of JSON.parse(inputs)) {
  const encoded = tokenizer(text)
  if (className === "AutoModelForSequenceClassification") {
    const { logits } = await model(encoded)
    answers.push({ output: model.config.id2label[logits.data.indexOf(Math.max(...logits.data))] })
    continue
  }
  const outputs = await model.generate({ ...encoded, do_sample: false })
  answers.push({ tokens: Array.from(outputs.data, Number), numPrompt: encoded.input_ids.dims[1] })
}
process.stdout.write(`${JSON.stringify(answers)}\n`)
