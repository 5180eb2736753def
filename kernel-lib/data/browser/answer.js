// Answers of an exported student, in the page and in Node alike: the template, the tokenizer, and a greedy loop over the ONNX files. What
// differs from student to student stands in `export` of the bundle's prompt2model.json; nothing is sent anywhere.

/**
 * @param {object} parts
 * @param {any} parts.ort ONNX Runtime's module: onnxruntime-web or onnxruntime-node
 * @param {any} parts.Tokenizer the class of @huggingface/tokenizers
 * @param {(path: string) => Promise<Uint8Array>} parts.readFile a file of the bundle
 * @param {object} [parts.sessionOptions]
 */
export async function openExport({ ort, Tokenizer, readFile, sessionOptions = {} }) {
  const readJson = async (path) => JSON.parse(new TextDecoder().decode(await readFile(path)))
  const [details, tokenizerJson, tokenizerConfig] = await Promise.all(["prompt2model.json", "tokenizer.json", "tokenizer_config.json"].map(readJson))
  const recipe = details.export
  const sessions = {}
  for (const [name, path] of Object.entries(recipe.files)) sessions[name] = await ort.InferenceSession.create(await readFile(path), sessionOptions)
  const tokenizer = new Tokenizer(tokenizerJson, tokenizerConfig)
  const decode = recipe.isByteLevel ? decodeBytes : (ids) => (ids.length === 0 ? "" : tokenizer.decode(ids, { skip_special_tokens: true }))
  const kinds = { "encoder-decoder": writeWithEncoder, "decoder-only": writeAfterPrompt, classifier: classify }
  const parts = { ort, recipe, sessions, decode }
  return {
    /** What the model reads for an input, as ids. */
    encode: (text) => cutInput(recipe, tokenizer.encode(fillTemplate(details.template, text)).ids),
    /** @returns {Promise<{ output: string, tokens: number[], confidence: number }>} */
    answer(text) {
      return kinds[recipe.kind](parts, this.encode(text))
    },
    async dispose() {
      for (const session of Object.values(sessions)) await session.release()
    },
  }
}

function fillTemplate(template, input) {
  return template?.kind === "paper" ? `<task 0>${template.instruction}\nExample:\n${input}\nLabel:\n` : input
}

/** Too long an input loses its middle or its end, as the student cuts it. */
function cutInput({ kind, dropsLast, startId, maxInputTokens, longestPrompt }, ids) {
  if (kind !== "decoder-only") return keepLast(ids, maxInputTokens)
  const own = dropsLast && ids.length > 0 ? ids.slice(0, -1) : ids
  const prompt = keepEnd(own.length > 0 ? own : [startId], maxInputTokens)
  return keepEnd(prompt, longestPrompt)
}

function keepLast(ids, limit) {
  return limit === undefined || ids.length <= limit ? ids : [...ids.slice(0, limit - 1), ids[ids.length - 1]]
}

function keepEnd(ids, limit) {
  if (limit === undefined || ids.length <= limit) return ids
  return limit > 1 ? [ids[0], ...ids.slice(ids.length - limit + 1)] : ids.slice(-1)
}

async function writeWithEncoder({ ort, recipe, sessions, decode }, ids) {
  const { startId, endIds, maxNewTokens } = recipe
  const mask = integers(ort, ids.map(() => 1))
  const { last_hidden_state: states } = await sessions.encoder.run({ input_ids: integers(ort, ids), attention_mask: mask })
  let cache = emptyCache(ort, recipe)
  const fixed = { encoder_attention_mask: mask, encoder_hidden_states: states }
  const written = await writeTokens({ endIds, maxNewTokens }, [startId], async (fresh) => {
    const results = await sessions.decoder.run({ ...fixed, ...cache, input_ids: integers(ort, fresh) })
    cache = nextCache(results)
    return lastLogits(results.logits)
  })
  return { ...written, output: decode(written.tokens) }
}

async function writeAfterPrompt({ ort, recipe, sessions, decode }, ids) {
  const { endIds, maxTextLength } = recipe
  const room = maxTextLength === undefined ? recipe.maxNewTokens : Math.max(1, Math.min(recipe.maxNewTokens, maxTextLength - ids.length))
  let cache = emptyCache(ort, recipe)
  let length = 0
  const written = await writeTokens({ endIds, maxNewTokens: room }, ids, async (fresh) => {
    const positions = fresh.map((_, i) => length + i)
    length += fresh.length
    const attention = integers(ort, new Array(length).fill(1))
    const feeds = { input_ids: integers(ort, fresh), attention_mask: attention, position_ids: integers(ort, positions) }
    const results = await sessions.decoder.run({ ...feeds, ...cache })
    cache = nextCache(results)
    return lastLogits(results.logits)
  })
  return { ...written, output: decode(written.tokens) }
}

async function classify({ ort, recipe, sessions }, ids) {
  const feeds = { input_ids: integers(ort, ids), attention_mask: integers(ort, ids.map(() => 1)) }
  if (recipe.readsTokenTypes) feeds.token_type_ids = integers(ort, ids.map(() => 0))
  const { logits } = await sessions.classifier.run(feeds)
  const { best, probability } = chooseBest(logits.data)
  return { output: recipe.labels[best], tokens: [], confidence: probability }
}

/** The likeliest token at each step, until one ends the answer or there is no room. */
async function writeTokens({ endIds, maxNewTokens }, first, step) {
  const tokens = []
  let fresh = first
  let logProbability = 0
  for (let length = 1; length <= maxNewTokens; length++) {
    const { best, probability } = chooseBest(await step(fresh))
    logProbability += Math.log(probability)
    const isEnd = endIds.includes(best)
    if (!isEnd) tokens.push(best)
    if (isEnd || length === maxNewTokens) return { tokens, confidence: Math.exp(logProbability / length) }
    fresh = [best]
  }
}

function chooseBest(logits) {
  let best = 0
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - logits[best])
  return { best, probability: 1 / sum }
}

/** int64 [1, N] */
function integers(ort, values) {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length])
}

function emptyCache(ort, { cacheNames, numHeads, headSize }) {
  const empty = () => new ort.Tensor("float32", new Float32Array(0), [1, numHeads, 0, headSize])
  return Object.fromEntries(cacheNames.map((name) => [name, empty()]))
}

function nextCache(results) {
  const present = Object.entries(results).filter(([name]) => name.startsWith("present."))
  return Object.fromEntries(present.map(([name, value]) => [name.replace("present.", "past_key_values."), value]))
}

/** logits [1, N, V] -> those of the last place */
function lastLogits({ data, dims }) {
  return data.subarray(data.length - dims[2])
}

/** ByT5's ids are bytes and three more; bytes that belong to no character are left out. */
function decodeBytes(ids) {
  const bytes = Uint8Array.from(ids.filter((id) => id >= 3 && id < 259), (id) => id - 3)
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\ufffd", "")
}
