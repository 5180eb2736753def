# Makes the small random T5 and umT5 checkpoints of ./golden, and what transformers computes with them, for the tests beside this file.
#
#   python -m venv VENV && VENV/bin/pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 numpy==2.4.6
#   VENV/bin/python make_golden.py [FOLDER]            writes FOLDER (default: ./golden)
#   VENV/bin/python make_golden.py --compare           makes them anew and compares them with ./golden
#   VENV/bin/python make_golden.py --check STUDENT     what transformers makes of a student that this library saved, as JSON
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers.models.t5.modeling_t5 import T5Attention
from transformers import AutoModelForSeq2SeqLM, ByT5Tokenizer, PreTrainedTokenizerFast, T5Config, UMT5Config

PINNED = {"torch": "2.15.0", "transformers": "5.23.0"}

# Odd shapes on purpose: the heads' sizes do not add up to the model's, depths differ, buckets are few or far.
MODELS = {
    "relu-tied": dict(
        seed=10, deviation=0.4, sharpness=4.0, vocab_size=61, d_model=24, d_kv=6, d_ff=37, num_layers=3, num_decoder_layers=2, num_heads=3,
        relative_attention_num_buckets=8, relative_attention_max_distance=20, feed_forward_proj="relu",
    ),
    "gated-untied": dict(
        seed=12, deviation=0.35, sharpness=1.0, vocab_size=47, d_model=20, d_kv=8, d_ff=28, num_layers=3, num_decoder_layers=1, num_heads=2,
        layer_norm_epsilon=1e-5, feed_forward_proj="gated-gelu", tie_word_embeddings=False,
    ),
    "bytes": dict(
        seed=6, deviation=0.45, sharpness=3.0, vocab_size=259, d_model=16, d_kv=4, d_ff=24, num_layers=2, num_decoder_layers=2, num_heads=4, feed_forward_proj="relu",
    ),
    "umt5": dict(
        kind=UMT5Config, seed=13, deviation=0.4, sharpness=1.5, vocab_size=47, d_model=16, d_kv=4, d_ff=20, num_layers=2, num_decoder_layers=2, num_heads=3,
        relative_attention_num_buckets=10, relative_attention_max_distance=15, feed_forward_proj="gated-gelu",
    ),
}
TEXTS = ["3rd of May 1999", "the 21st of September, 1987", "Zürich, 7 août 😀", "", "a </s> b", "tab\tand  two spaces ", "x"]


def build(name):
    options = dict(MODELS[name])
    seed, deviation, sharpness = options.pop("seed"), options.pop("deviation"), options.pop("sharpness")
    torch.manual_seed(seed)
    kind = options.pop("kind", T5Config)
    model = AutoModelForSeq2SeqLM.from_config(kind(decoder_start_token_id=0, dropout_rate=0.0, **options)).eval()
    with torch.no_grad():
        if options.get("tie_word_embeddings") is False:
            model.lm_head.weight = torch.nn.Parameter(torch.empty(options["vocab_size"], options["d_model"]))
        for key, weight in model.named_parameters():
            weight.normal_(0, deviation)
            if "layer_norm" in key:
                weight.add_(1)
            # Or else every answer is one token over and over, and none ends. Attention stays soft: sharp, it magnifies rounding.
            if key.endswith(("Attention.v.weight", "Attention.o.weight")):
                weight.mul_(1.7)
            if key.endswith(("Attention.q.weight", "Attention.k.weight")):
                weight.mul_(0.6)
        model.decoder.final_layer_norm.weight.mul_(sharpness)
        model.lm_head.weight[1].mul_(2)
    return model


def make_rows(generator, vocabulary, count, longest):
    rows = []
    for _ in range(count):
        source = torch.randint(3, vocabulary, (int(torch.randint(1, longest, (1,), generator=generator)),), generator=generator).tolist() + [1]
        target = torch.randint(3, vocabulary, (int(torch.randint(1, 9, (1,), generator=generator)),), generator=generator).tolist() + [1]
        rows.append({"inputIds": source, "labelIds": target})
    return rows


def pad(lists, value):
    longest = max(map(len, lists))
    return torch.tensor([row + [value] * (longest - len(row)) for row in lists])


def feed(rows):
    sources = [row["inputIds"] for row in rows]
    return dict(
        input_ids=pad(sources, 0),
        attention_mask=pad([[1] * len(source) for source in sources], 0),
        labels=pad([row["labelIds"] for row in rows], -100),
    )


def parameters_of(model):
    return {key: weight for key, weight in model.named_parameters()}


def train(model, batches, steps, rate, decay, max_norm):
    return train_on(model, [feed(rows) for rows in batches], steps, rate, decay, max_norm)


def train_on(model, feeds, steps, rate, decay, max_norm):
    """Losses and gradients' norms of steps of AdamW that decays matrices alone."""
    decaying = [w for key, w in parameters_of(model).items() if w.dim() > 1 and "bias" not in key]
    others = [w for key, w in parameters_of(model).items() if not (w.dim() > 1 and "bias" not in key)]
    optimizer = torch.optim.AdamW([dict(params=decaying, weight_decay=decay), dict(params=others, weight_decay=0.0)], lr=rate)
    losses, norms = [], []
    for step in range(steps):
        loss = model(**feeds[step % len(feeds)]).loss
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def strip(sequence):
    tokens = sequence[1:].tolist()
    return tokens[: tokens.index(1)] if 1 in tokens else [token for token in tokens]


def generate(model, rows, max_new_tokens, **options):
    """Row by row and all together: padding must not matter."""
    alone = []
    for row in rows:
        output = model.generate(torch.tensor([row["inputIds"]]), max_new_tokens=max_new_tokens, do_sample=False, **options)
        alone.append(strip(output[0]))
    fed = feed(rows)
    together = model.generate(fed["input_ids"], attention_mask=fed["attention_mask"], max_new_tokens=max_new_tokens, do_sample=False, **options)
    assert [strip(row) for row in together] == alone, "a tie: take another seed"
    return alone


def confidences(model, rows, answers, max_new_tokens):
    result = []
    for row, tokens in zip(rows, answers):
        target = tokens + [1] if len(tokens) < max_new_tokens else tokens
        logits = model(input_ids=torch.tensor([row["inputIds"]]), labels=torch.tensor([target])).logits[0]
        chosen = torch.log_softmax(logits, -1).gather(1, torch.tensor(target)[:, None])
        result.append(chosen.mean().exp().item())
    return result


def make_model(folder, name):
    model = build(name)
    path = os.path.join(folder, name)
    # A small shard size makes the index file; the tests read both forms.
    model.save_pretrained(path, max_shard_size="12KB" if name == "gated-untied" else "5GB")
    generator = torch.Generator().manual_seed(7)
    vocabulary = model.config.vocab_size
    rows = make_rows(generator, vocabulary, 5, 30)
    output = model(**feed(rows))
    output.loss.backward()
    tensors = {"logits": output.logits.detach()}
    for key, weight in parameters_of(model).items():
        tensors[f"gradients/{key}"] = weight.grad.detach().clone()
    save_file(tensors, os.path.join(path, "golden.safetensors"))
    golden = {"rows": rows, "loss": output.loss.item()}
    with torch.no_grad():
        questions = make_rows(generator, vocabulary, 24, 40)
        golden["questions"] = [row["inputIds"] for row in questions]
        golden["greedy"] = generate(model, questions, 12, num_beams=1)
        golden["confidences"] = confidences(model, questions, golden["greedy"], 12)
        golden["beam4"] = generate(model, questions, 12, num_beams=4)
        golden["beam3Long"] = generate(model, questions[:8], 40, num_beams=3)
        golden["beam2Early"] = generate(model, questions[:8], 12, num_beams=2, early_stopping=True, length_penalty=0.6)
        golden["greedyLong"] = generate(model, questions[:8], 40, num_beams=1)
    batches = [make_rows(generator, vocabulary, 4, 14), make_rows(generator, vocabulary, 3, 25), make_rows(generator, vocabulary, 4, 9)]
    golden["batches"] = batches
    golden["optimizer"] = dict(learningRate=0.01, weightDecay=0.1, maxGradientNorm=1.0)
    golden["losses"], golden["gradientNorms"] = train(build(name), batches, 10, 0.01, 0.1, 1.0)
    return model, path, golden


def make_unigram_tokenizer(path):
    # Written by hand: a trained one comes out differently each time.
    pieces = ["▁", "▁the", "▁of", "▁a", "▁date", "ember", "st", "rd", "an", "tw", "199", "19", "ü", *"abcdefghilmnoprstuwyMSZ1239,."]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(piece, -2.0 - 0.37 * i / len(piece)) for i, piece in enumerate(pieces)]
    assert len(vocabulary) <= 47
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    fast.save_pretrained(path)
    return fast


def answer_texts(model, tokenizer, **options):
    answers = []
    for text in TEXTS:
        ids = tokenizer(text).input_ids
        output = model.generate(torch.tensor([ids]), max_new_tokens=10, do_sample=False, **options)
        tokens = strip(output[0])
        answers.append({"text": text, "ids": ids, "tokens": tokens, "output": tokenizer.decode(tokens, skip_special_tokens=True)})
    return answers


def make_dtypes(folder):
    """The same numbers in the three types that weights come in, as the reference library writes them."""
    values = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, -6.1e-5, 3.14159, 1e-7, float("inf"), float("-inf"), 0.333], dtype=torch.float32)
    path = os.path.join(folder, "dtypes")
    os.makedirs(path)
    save_file({"F32": values, "F16": values.to(torch.float16), "BF16": values.to(torch.bfloat16).reshape(3, 4)}, os.path.join(path, "model.safetensors"))
    widened = {"F32": values, "F16": values.to(torch.float16).float(), "BF16": values.to(torch.bfloat16).float()}
    with open(os.path.join(path, "golden.json"), "w") as file:
        json.dump({key: value.view(torch.int32).tolist() for key, value in widened.items()}, file)


def make_buckets(folder):
    """The bucket of every distance from -300 to 300, for several numbers of buckets and reaches."""
    distances = torch.arange(-300, 301)
    buckets = [
        {"relativeBuckets": count, "relativeMaxDistance": reach, "isBidirectional": both,
         "buckets": T5Attention._relative_position_bucket(distances, both, count, reach).tolist()}
        for count, reach in [(32, 128), (8, 20), (48, 257)] for both in [True, False]
    ]
    with open(os.path.join(folder, "buckets.json"), "w") as file:
        json.dump(buckets, file)


def make_all(folder):
    assert torch.__version__.startswith(PINNED["torch"]) and transformers.__version__ == PINNED["transformers"], f"pinned: {PINNED}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    make_dtypes(folder)
    make_buckets(folder)
    for name in MODELS:
        model, path, golden = make_model(folder, name)
        if name == "bytes":
            tokenizer = ByT5Tokenizer(extra_ids=0)
            tokenizer.save_pretrained(path)
        else:
            tokenizer = make_unigram_tokenizer(path)
        with torch.no_grad():
            golden["texts"] = answer_texts(model, tokenizer)
        with open(os.path.join(path, "golden.json"), "w") as file:
            json.dump(golden, file)


def differences(ours, theirs, path):
    """Where two parsed JSON values differ, real numbers by more than rounding on another processor."""
    if isinstance(ours, float) or isinstance(theirs, float):
        return [] if abs(ours - theirs) <= 1e-3 * max(1, abs(theirs)) else [f"{path}: {ours} and {theirs}"]
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [line for key in ours for line in differences(ours[key], theirs[key], f"{path}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [line for i, (a, b) in enumerate(zip(ours, theirs)) for line in differences(a, b, f"{path}[{i}]")]
    return [] if ours == theirs else [f"{path}: {ours} and {theirs}"]


def compare(kept, make_all=make_all):
    with tempfile.TemporaryDirectory() as made:
        make_all(made)
        found = []
        for path in sorted(Path(made).rglob("*.*")):
            name = path.relative_to(made)
            other = Path(kept) / name
            if not other.exists():
                found.append(f"{name}: missing")
            elif path.suffix == ".json":
                found += differences(json.loads(other.read_text()), json.loads(path.read_text()), str(name))
            elif path.suffix == ".safetensors":
                a, b = load_file(other), load_file(path)
                far = [key for key in b if key not in a or not torch.allclose(a[key].float(), b[key].float(), atol=1e-4, equal_nan=True)]
                found += [f"{name}: {key}" for key in far]
    print("\n".join(found) or "the golden files are what transformers computes")
    sys.exit(1 if found else 0)


def check(folder):
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    except ValueError:  # transformers 4 does not know the class that 5 writes
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    with torch.no_grad():
        print(json.dumps({
            "class": type(tokenizer).__name__,
            "tied": model.lm_head.weight.data_ptr() == model.shared.weight.data_ptr(),
            "maxNewTokens": model.generation_config.max_new_tokens,
            "greedy": answer_texts(model, tokenizer),
            "beam4": answer_texts(model, tokenizer, num_beams=4),
        }))


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    elif sys.argv[1:2] == ["--compare"]:
        compare(golden)
    else:
        make_all(sys.argv[1] if len(sys.argv) > 1 else golden)
