"""Answers of a bundle in Python, by the programs that it is for: one line of JSON for the rows of standard input.

    python answer_bundle.py huggingface|onnx|gguf FOLDER < inputs.json

Inputs are a JSON list of texts as the model reads them; of gguf, of lists of token ids beside them. Needs transformers and torch for
huggingface; onnxruntime and transformers for onnx; gguf, and llama_cpp or xllamacpp, for gguf. Ends with 3 where one of them is missing.
"""

import importlib.util
import json
import sys
from pathlib import Path


def need(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"{name} is not installed", file=sys.stderr)
        sys.exit(3)


def answer_huggingface(folder, texts):
    transformers = need("transformers")
    torch = need("torch")
    architecture = json.loads((folder / "config.json").read_text())["architectures"][0]
    model = getattr(transformers, architecture).from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for text in texts:
        inputs = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            if architecture.endswith("ForSequenceClassification"):
                yield {"output": model.config.id2label[int(model(**inputs).logits[0].argmax())], "tokens": []}
                continue
            outputs = model.generate(**inputs, num_beams=1, do_sample=False)[0].tolist()
        start = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        yield describe(model.generation_config.eos_token_id, tokenizer, outputs[start:])


def describe(end, tokenizer, tokens):
    ends = end if isinstance(end, list) else [end]
    kept = [token for token in tokens if token not in ends]
    return {"output": tokenizer.decode(kept, skip_special_tokens=True), "tokens": kept}


def answer_onnx(folder, texts):
    onnxruntime = need("onnxruntime")
    numpy = need("numpy")
    transformers = need("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    recipe = json.loads((folder / "prompt2model.json").read_text())["export"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {
        role: onnxruntime.InferenceSession(str(folder / path), options, providers=["CPUExecutionProvider"])
        for role, path in recipe["files"].items()
    }

    def run(role, **feeds):
        session = sessions[role]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, feeds)))

    def empty(shape):
        return numpy.zeros([1 if size == "batch_size" else size if isinstance(size, int) else 0 for size in shape], numpy.float32)

    for text in texts:
        ids = numpy.array([tokenizer(text)["input_ids"]], numpy.int64)
        mask = numpy.ones_like(ids)
        if recipe["kind"] == "classifier":
            types = {"token_type_ids": numpy.zeros_like(ids)} if recipe["readsTokenTypes"] else {}
            scores = run("classifier", input_ids=ids, attention_mask=mask, **types)["logits"]
            yield {"output": recipe["labels"][int(scores[0].argmax())], "tokens": []}
            continue
        cache = {entry.name: empty(entry.shape) for entry in sessions["decoder"].get_inputs() if entry.name.startswith("past")}
        if recipe["kind"] == "encoder-decoder":
            states = run("encoder", input_ids=ids, attention_mask=mask)["last_hidden_state"]
            fixed = {"encoder_attention_mask": mask, "encoder_hidden_states": states}
            fresh, length = numpy.array([[recipe["startId"]]], numpy.int64), 0
        else:
            fixed, fresh, length = {}, ids, 0
        tokens = []
        for _ in range(recipe["maxNewTokens"]):
            length += fresh.shape[1]
            if recipe["kind"] == "decoder-only":
                positions = numpy.arange(length - fresh.shape[1], length, dtype=numpy.int64)[None]
                fixed = {"attention_mask": numpy.ones((1, length), numpy.int64), "position_ids": positions}
            results = run("decoder", input_ids=fresh, **fixed, **cache)
            cache = {name.replace("present", "past_key_values"): value for name, value in results.items() if name.startswith("present")}
            tokens.append(int(results["logits"][0, -1].argmax()))
            if tokens[-1] in recipe["endIds"]:
                break
            fresh = numpy.array([[tokens[-1]]], numpy.int64)
        yield describe(recipe["endIds"], tokenizer, tokens)


def answer_gguf(folder, rows):
    gguf = need("gguf")
    path = str(folder / "model.gguf")
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    yield {"tensors": len(tensors), "embedding": [int(size) for size in tensors["token_embd.weight"].shape]}
    if importlib.util.find_spec("llama_cpp") is None:
        yield from answer_with_server(path, rows)
        return
    model = open_llama(path)
    for text, ids in rows:
        tokens = []
        for token in model.generate(ids, temp=0, top_k=1):
            if token == model.token_eos() or len(tokens) == 8:
                break
            tokens.append(token)
        yield {"ids": model.tokenize(text.encode(), add_bos=True, special=True), "tokens": tokens}


def open_llama(path):
    """llama.cpp as exact as it can be: keys and values are not rounded to halves, weights not moved into a processor's own order."""
    from llama_cpp import Llama, llama_cpp

    defaults = llama_cpp.llama_model_default_params

    def plain():
        settings = defaults()
        settings.use_extra_bufts = False
        return settings

    llama_cpp.llama_model_default_params = plain
    return Llama(path, n_ctx=512, n_threads=1, type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32, verbose=False)


def answer_with_server(path, rows):
    """xllamacpp: llama.cpp's own server in this process, on loopback."""
    xllamacpp = need("xllamacpp")
    from urllib.request import Request, urlopen

    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.n_ctx = 512
    settings.n_gpu_layers = 0
    settings.cpuparams.n_threads = 1
    server = xllamacpp.Server(settings)

    def ask(path, body):
        request = Request(server.listening_address + path, json.dumps(body).encode(), {"content-type": "application/json"})
        return json.load(urlopen(request))

    for text, ids in rows:
        greedy = {"n_predict": 8, "temperature": 0, "top_k": 1, "samplers": ["top_k"], "return_tokens": True}
        tokens = ask("/completion", {"prompt": ids, **greedy})["tokens"]
        yield {"ids": ask("/tokenize", {"content": text, "add_special": True})["tokens"], "tokens": tokens}


if __name__ == "__main__":
    kind, folder = sys.argv[1:3]
    answer = {"huggingface": answer_huggingface, "onnx": answer_onnx, "gguf": answer_gguf}[kind]
    print(json.dumps(list(answer(Path(folder), json.load(sys.stdin)))), flush=True)
