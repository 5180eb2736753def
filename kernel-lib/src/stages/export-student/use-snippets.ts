// How a bundle is used, as its card tells: a few lines that can be pasted.
import type { ExportFormat } from "../../students/export"

/** What a model does, by the name of its class in transformers. */
export type ModelTask = "text2text-generation" | "text-generation" | "question-answering" | "text-classification"

export function taskOf(modelClass: string): ModelTask {
  if (modelClass.endsWith("ForConditionalGeneration")) return "text2text-generation"
  if (modelClass.endsWith("ForQuestionAnswering")) return "question-answering"
  return modelClass.endsWith("ForSequenceClassification") ? "text-classification" : "text-generation"
}

/** The class that loads a model, in Python and in transformers.js. */
const loaders: Readonly<Record<ModelTask, string>> = {
  "text2text-generation": "AutoModelForSeq2SeqLM",
  "text-generation": "AutoModelForCausalLM",
  "question-answering": "AutoModelForQuestionAnswering",
  "text-classification": "AutoModelForSequenceClassification",
}

export function describeUse(format: ExportFormat, modelClass: string, hasPage: boolean): string {
  const task = taskOf(modelClass)
  const own = `In TypeScript, with prompt2model:\n\n\`\`\`ts\nconst student = await loadStudent(folder)\nawait student.predict(["..."])\n\`\`\``
  const page = hasPage
    ? "\n\nIn a browser: put this folder on any static web server and open `demo.html`. The model answers in the page, and nothing that is typed leaves it."
    : ""
  if (format === "huggingface") return `## Use\n\n${describePython(task)}\n\n${own}`
  if (format === "gguf" || format === "gguf-q8_0") return `## Use\n\n${describeLlamaCpp()}`
  return `## Use\n\n${describeTransformersJs(task)}${page}\n\nThe files in \`onnx/\` run on ONNX Runtime in any language; their inputs and outputs have the names that optimum gives them.`
}

const pythonLines: Readonly<Record<ModelTask, string>> = {
  "text2text-generation": `outputs = model.generate(**tokenizer(text, return_tensors="pt"), num_beams=1, do_sample=False)\nprint(tokenizer.decode(outputs[0], skip_special_tokens=True))`,
  "text-generation": `inputs = tokenizer(text, return_tensors="pt")\noutputs = model.generate(**inputs, num_beams=1, do_sample=False)\nprint(tokenizer.decode(outputs[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))`,
  "question-answering": `inputs = tokenizer(question, context, return_tensors="pt")\nscores = model(**inputs)\nfirst, last = int(scores.start_logits.argmax()), int(scores.end_logits.argmax())\nprint(tokenizer.decode(inputs["input_ids"][0, first : last + 1]))`,
  "text-classification": `scores = model(**tokenizer(text, return_tensors="pt")).logits[0]\nprint(model.config.id2label[int(scores.argmax())])`,
}

function describePython(task: ModelTask): string {
  const given = task === "question-answering" ? "`question` and the `context` that has its answer" : "`text` in the prompt template below"
  const loader = loaders[task]
  return `In Python, with ${given}:\n\n\`\`\`python\nfrom transformers import ${loader}, AutoTokenizer\n\ntokenizer = AutoTokenizer.from_pretrained(folder)\nmodel = ${loader}.from_pretrained(folder)\n${pythonLines[task]}\n\`\`\``
}

const decodeScript = "console.log(tokenizer.batch_decode(outputs, { skip_special_tokens: true })[0])"
/** Spans are in no ONNX bundle. */
const scriptLines: Readonly<Partial<Record<ModelTask, string>>> = {
  "text2text-generation": `const outputs = await model.generate({ ...tokenizer(text), do_sample: false })\n${decodeScript}`,
  "text-generation": `const inputs = tokenizer(text)\nconst whole = await model.generate({ ...inputs, do_sample: false })\nconst outputs = whole.slice(null, [inputs.input_ids.dims[1], null])\n${decodeScript}`,
  "text-classification":
    "const { logits } = await model(tokenizer(text))\nconsole.log(model.config.id2label[logits.data.indexOf(Math.max(...logits.data))])",
}

function describeTransformersJs(task: ModelTask): string {
  const python = loaders[task]
  const use = scriptLines[task]
  return `In JavaScript, with \`text\` in the prompt template below:\n\n\`\`\`js\nimport { ${python}, AutoTokenizer, env } from "@huggingface/transformers"\n\nenv.allowRemoteModels = false\nenv.localModelPath = parentOfThisFolder\nconst tokenizer = await AutoTokenizer.from_pretrained(nameOfThisFolder)\nconst model = await ${python}.from_pretrained(nameOfThisFolder)\n${use}\n\`\`\``
}

function describeLlamaCpp(): string {
  const python = `from llama_cpp import Llama\n\nmodel = Llama("model.gguf")\nprint(model(text, temperature=0, max_tokens=None)["choices"][0]["text"])`
  return `With Ollama, which fills in the prompt template: \`ollama create student -f Modelfile\`, then \`ollama run student "..."\`.\n\nIn Python, with \`text\` in the prompt template below:\n\n\`\`\`python\n${python}\n\`\`\``
}
