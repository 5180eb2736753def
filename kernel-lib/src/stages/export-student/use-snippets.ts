// How a bundle is used, as its card tells: a few lines that can be pasted.
import type { ExportFormat } from "../../students/export"

interface Classes {
  readonly python: string
  readonly call: string
}

/** The class that loads a model, and how it answers. */
function classesOf(architecture: string): Classes {
  if (["t5", "mt5"].includes(architecture)) return { python: "AutoModelForSeq2SeqLM", call: "generate" }
  if (["gpt2", "llama", "mistral", "qwen2"].includes(architecture)) return { python: "AutoModelForCausalLM", call: "generate" }
  return { python: "AutoModelForSequenceClassification", call: "classify" }
}

export function describeUse(format: ExportFormat, architecture: string, hasPage: boolean): string {
  const classes = classesOf(architecture)
  const own = `In TypeScript, with prompt2model:\n\n\`\`\`ts\nconst student = await loadStudent(folder)\nawait student.predict(["..."])\n\`\`\``
  const page = hasPage
    ? "\n\nIn a browser: put this folder on any static web server and open `demo.html`. The model answers in the page, and nothing that is typed leaves it."
    : ""
  if (format === "huggingface") return `## Use\n\n${describePython(classes)}\n\n${own}`
  if (format === "gguf" || format === "gguf-q8_0") return `## Use\n\n${describeLlamaCpp()}`
  return `## Use\n\n${describeTransformersJs(classes)}${page}\n\nThe files in \`onnx/\` run on ONNX Runtime in any language; their inputs and outputs have the names that optimum gives them.`
}

function describePython({ python, call }: Classes): string {
  const use =
    call === "generate"
      ? `outputs = model.generate(**tokenizer(text, return_tensors="pt"), num_beams=1, do_sample=False)\nprint(tokenizer.decode(outputs[0], skip_special_tokens=True))`
      : `scores = model(**tokenizer(text, return_tensors="pt")).logits[0]\nprint(model.config.id2label[int(scores.argmax())])`
  return `In Python, with \`text\` in the prompt template below:\n\n\`\`\`python\nfrom transformers import ${python}, AutoTokenizer\n\ntokenizer = AutoTokenizer.from_pretrained(folder)\nmodel = ${python}.from_pretrained(folder)\n${use}\n\`\`\``
}

function describeTransformersJs({ python, call }: Classes): string {
  const use =
    call === "generate"
      ? `const outputs = await model.generate({ ...tokenizer(text), do_sample: false })\nconsole.log(tokenizer.batch_decode(outputs, { skip_special_tokens: true })[0])`
      : `const { logits } = await model(tokenizer(text))\nconsole.log(model.config.id2label[logits.data.indexOf(Math.max(...logits.data))])`
  return `In JavaScript, with \`text\` in the prompt template below:\n\n\`\`\`js\nimport { ${python}, AutoTokenizer, env } from "@huggingface/transformers"\n\nenv.allowRemoteModels = false\nenv.localModelPath = parentOfThisFolder\nconst tokenizer = await AutoTokenizer.from_pretrained(nameOfThisFolder)\nconst model = await ${python}.from_pretrained(nameOfThisFolder)\n${use}\n\`\`\``
}

function describeLlamaCpp(): string {
  const python = `from llama_cpp import Llama\n\nmodel = Llama("model.gguf")\nprint(model(text, temperature=0)["choices"][0]["text"])`
  return `With Ollama, which fills in the prompt template: \`ollama create student -f Modelfile\`, then \`ollama run student "..."\`.\n\nIn Python, with \`text\` in the prompt template below:\n\n\`\`\`python\n${python}\n\`\`\``
}
