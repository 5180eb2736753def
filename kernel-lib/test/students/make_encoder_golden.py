# Makes the small random encoders of ./golden-encoders, and what transformers and sentence-transformers compute with them.
#
#   python -m venv VENV
#   VENV/bin/pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 numpy==2.4.6 sentence-transformers==6.2.0
#   VENV/bin/python make_encoder_golden.py [FOLDER]      writes FOLDER (default: ./golden-encoders)
#   VENV/bin/python make_encoder_golden.py --compare     makes them anew and compares them with ./golden-encoders
#   VENV/bin/python make_encoder_golden.py --check STUDENT    what transformers makes of a student that this library saved, as JSON
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
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertModel,
    DistilBertConfig,
    ElectraConfig,
    MPNetConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
)

PINNED = {"torch": "2.15.0", "transformers": "5.23.0"}

# Odd shapes on purpose. RoBERTa's padding id is not its default, so that positions are seen to count from it.
SHAPE = dict(hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=20, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
MODELS = {
    "bert-labels": (BertConfig, 55, dict(SHAPE, max_position_embeddings=40, id2label={0: "bad", 1: "good", 2: "so so"}, label2id={"bad": 0, "good": 1, "so so": 2})),
    "roberta-labels": (RobertaConfig, 36, dict(SHAPE, max_position_embeddings=44, pad_token_id=3, type_vocab_size=1, num_labels=4, hidden_act="gelu_new", layer_norm_eps=1e-5)),
    "distilbert-labels": (DistilBertConfig, 7, dict(dim=12, n_layers=1, n_heads=2, hidden_dim=17, dropout=0.0, attention_dropout=0.0, seq_classif_dropout=0.0, max_position_embeddings=40, num_labels=3)),
    "mpnet-labels": (MPNetConfig, 4, dict(SHAPE, max_position_embeddings=44, num_labels=2, hidden_act="relu")),
    "electra-labels": (ElectraConfig, 8, dict(SHAPE, embedding_size=7, max_position_embeddings=40, num_labels=3)),
    "bert-span": (BertConfig, 5, dict(SHAPE, max_position_embeddings=48, hidden_act="silu")),
    "roberta-span": (RobertaConfig, 6, dict(SHAPE, max_position_embeddings=50, pad_token_id=1, type_vocab_size=1)),
}
SENTENCES = "bert-sentences"
TEXTS = [
    "the cat sat on the mat", "dogs bark, cats do not!", "Zürich, 7 août", "", "a [SEP] b <pad> c", "tab\tand  two spaces ", "x",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty",
]
QUESTIONS = [
    {"question": "who sat on the mat?", "context": "the cat sat on the mat, and the dogs did not."},
    {"question": "where", "context": "In Zürich the cats sat; 7 dogs barked at ten."},
    {"context": "no question here: the answer is twenty-one"},
    {"question": "what comes after ten?", "context": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"},
]
PIECES = ["the", "cat", "dog", "##s", "sat", "on", "mat", "bark", "do", "not", ",", ".", "!", "?", ":", ";", "##ed", "is", "at", "ten", "teen", "##teen", "one", "two"]
LETTERS = "abcdefghilmnoprstuvwxyz127"


def word_piece_tokenizer():
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES, *LETTERS, *("##" + letter for letter in LETTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def byte_pair_tokenizer(pad_id):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "t"), ("c", "at"), ("Ġ", "cat"), ("Ġ", "s"), ("e", "n"), ("Ġ", "t")]
    special = ["<s>", "</s>", "<unk>", "<mask>"]
    special.insert(pad_id, "<pad>")
    vocabulary = {piece: i for i, piece in enumerate([*special, *letters, *("".join(pair) for pair in merges)])}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"]), trim_offsets=True, add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>"
    )


def tokenizer_of(name):
    config, _, options = MODELS.get(name, (BertConfig, 0, {}))
    if config in (RobertaConfig, MPNetConfig):
        return byte_pair_tokenizer(options.get("pad_token_id", 1))
    return word_piece_tokenizer()


def build(name):
    config, seed, options = MODELS[name]
    torch.manual_seed(seed)
    head = AutoModelForQuestionAnswering if name.endswith("span") else AutoModelForSequenceClassification
    model = head.from_config(config(vocab_size=len(tokenizer_of(name)), **options)).eval()
    return randomize(model)


def randomize(model):
    with torch.no_grad():
        for key, weight in model.named_parameters():
            weight.normal_(0, 0.4)
            if "layer_norm" in key.lower().replace("layernorm", "layer_norm") and key.endswith("weight"):
                weight.add_(1)
            # Or else every text has the same answer.
            if key.startswith(("classifier", "qa_outputs")):
                weight.mul_(0 if key.endswith("bias") else 3)
    return model


def make_rows(model, tokenizer, generator, count, longest, is_span):
    pick = lambda low, high: int(torch.randint(low, high, (1,), generator=generator))
    rows = []
    for _ in range(count):
        length = pick(3, longest)
        # Special tokens come first in both vocabularies.
        ids = [tokenizer.cls_token_id] + torch.randint(5, len(tokenizer), (length,), generator=generator).tolist() + [tokenizer.sep_token_id]
        row = {"ids": ids}
        if is_span:
            row["secondPart"] = pick(1, length)
            row["start"] = pick(row["secondPart"], length + 1)
            row["end"] = pick(row["start"], length + 1)
        else:
            row["label"] = pick(0, model.config.num_labels)
        rows.append(row)
    return rows


def pad(lists, value):
    longest = max(map(len, lists))
    return torch.tensor([row + [value] * (longest - len(row)) for row in lists])


def feed(model, tokenizer, rows):
    ids = [row["ids"] for row in rows]
    feeds = dict(input_ids=pad(ids, tokenizer.pad_token_id), attention_mask=pad([[1] * len(one) for one in ids], 0))
    if getattr(model.config, "type_vocab_size", 1) > 1 and "secondPart" in rows[0]:
        feeds["token_type_ids"] = pad([[int(i >= row["secondPart"]) for i in range(len(row["ids"]))] for row in rows], 0)
    return feeds


def compute(model, tokenizer, rows):
    """Loss and logits. transformers counts padding among a span's candidates; here it does not, so that a row's loss is its own."""
    feeds = feed(model, tokenizer, rows)
    if "label" in rows[0]:
        output = model(**feeds, labels=torch.tensor([row["label"] for row in rows]))
        return output.loss, {"logits": output.logits}
    output = model(**feeds)
    padding = feeds["attention_mask"] == 0
    sides = {"start": output.start_logits, "end": output.end_logits}
    losses = [cross_entropy(logits.masked_fill(padding, -torch.inf), torch.tensor([row[side] for row in rows])) for side, logits in sides.items()]
    return (losses[0] + losses[1]) / 2, {"starts": output.start_logits, "ends": output.end_logits}


def check_span_loss(model, tokenizer, row):
    """Without padding it is the model's own loss."""
    own = model(**feed(model, tokenizer, [row]), start_positions=torch.tensor([row["start"]]), end_positions=torch.tensor([row["end"]])).loss
    assert torch.allclose(own, compute(model, tokenizer, [row])[0])


def train(name, tokenizer, batches, steps, rate, decay, max_norm):
    model = build(name)
    decays = lambda key, weight: weight.dim() > 1 and "bias" not in key
    groups = [[w for key, w in model.named_parameters() if decays(key, w) == wanted] for wanted in (True, False)]
    optimizer = torch.optim.AdamW([dict(params=groups[0], weight_decay=decay), dict(params=groups[1], weight_decay=0.0)], lr=rate)
    losses, norms = [], []
    for step in range(steps):
        loss, _ = compute(model, tokenizer, batches[step % len(batches)])
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def places_of(config):
    return config.max_position_embeddings - (config.pad_token_id + 1 if config.model_type in ("roberta", "mpnet") else 0)


def classify(model, tokenizer):
    longest = places_of(model.config)
    answers = []
    for text in TEXTS:
        ids = tokenizer(text, truncation=True, max_length=longest).input_ids
        probabilities = model(torch.tensor([ids])).logits[0].softmax(-1)
        best = int(probabilities.argmax())
        answers.append({"text": text, "ids": ids, "output": model.config.id2label[best], "confidence": probabilities[best].item()})
    return answers


def find_spans(model, tokenizer, longest=15):
    """
    As the question-answering pipeline of transformers 4 did: softmax over the context and the first token, which is never chosen. A part of
    a long context is as long as the model's positions allow, and shares half of them with the next.
    """
    window = min(384, places_of(model.config))
    answers = []
    for row in QUESTIONS:
        texts = [row["question"], row["context"]] if "question" in row else [row["context"]]
        side = len(texts) - 1
        room = window - len(tokenizer(*texts[:-1], "x").input_ids) + len(tokenizer("x", add_special_tokens=False).input_ids)
        encoded = tokenizer(
            *texts, truncation="only_second" if side else True, max_length=window, stride=min(128, room // 2),
            return_overflowing_tokens=True, return_offsets_mapping=True, return_token_type_ids=True,
        )
        best = None
        for part in range(len(encoded["input_ids"])):
            feeds = dict(input_ids=torch.tensor([encoded["input_ids"][part]]))
            if getattr(model.config, "type_vocab_size", 1) > 1:
                feeds["token_type_ids"] = torch.tensor([encoded["token_type_ids"][part]])
            output = model(**feeds)
            allowed = torch.tensor([source == side for source in encoded.sequence_ids(part)])
            kept = allowed.clone()
            kept[0] = True
            starts, ends = (logits[0].masked_fill(~kept, -torch.inf).softmax(-1) for logits in (output.start_logits, output.end_logits))
            scores = torch.outer(starts * allowed, ends * allowed).triu().tril(longest - 1)
            score, place = scores.max().item(), int(scores.argmax())
            if best is None or score > best["confidence"]:
                start, end = divmod(place, len(starts))
                offsets = encoded["offset_mapping"][part]
                text = row["context"][offsets[start][0] : offsets[end][1]]
                best = {"span": text, "tokens": encoded["input_ids"][part][start : end + 1], "confidence": score}
        answers.append({**row, **best, "parts": len(encoded["input_ids"])})
    return answers


def make_model(folder, name):
    model, tokenizer = build(name), tokenizer_of(name)
    path = os.path.join(folder, name)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    generator = torch.Generator().manual_seed(7)
    is_span = name.endswith("span")
    rows = make_rows(model, tokenizer, generator, 5, 30, is_span)
    if is_span:
        check_span_loss(model, tokenizer, rows[0])
    loss, outputs = compute(model, tokenizer, rows)
    loss.backward()
    tensors = {key: value.detach().contiguous() for key, value in outputs.items()}
    for key, weight in model.named_parameters():
        # A weight that is stored and not used, as RoBERTa's pooler is none of its classifier's.
        tensors[f"gradients/{key}"] = torch.zeros_like(weight) if weight.grad is None else weight.grad.detach().clone()
    save_file(tensors, os.path.join(path, "golden.safetensors"))
    batches = [make_rows(model, tokenizer, generator, 4, 14, is_span), make_rows(model, tokenizer, generator, 3, 25, is_span), make_rows(model, tokenizer, generator, 4, 9, is_span)]
    golden = {"rows": rows, "loss": loss.item(), "batches": batches, "optimizer": dict(learningRate=0.01, weightDecay=0.1, maxGradientNorm=1.0)}
    golden["losses"], golden["gradientNorms"] = train(name, tokenizer, batches, 10, 0.01, 0.1, 1.0)
    with torch.no_grad():
        golden["answers"] = find_spans(model, tokenizer) if is_span else classify(model, tokenizer)
    with open(os.path.join(path, "golden.json"), "w") as file:
        json.dump(golden, file)


def make_sentences(folder):
    """An embedding model as sentence-transformers saves it, with two poolings and a projection."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Normalize, Pooling, Transformer

    path = os.path.join(folder, SENTENCES)
    torch.manual_seed(9)
    tokenizer = word_piece_tokenizer()
    with tempfile.TemporaryDirectory() as encoder:
        randomize(BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=40, **SHAPE))).save_pretrained(encoder)
        tokenizer.save_pretrained(encoder)
        transformer = Transformer(encoder, max_seq_length=24)
        modules = [transformer, Pooling(12, pooling_mode=("max", "mean")), Dense(24, 10), Normalize()]
        model = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "ten: "})
        model.save(path, create_model_card=False)
    golden = {"texts": TEXTS, "vectors": model.encode(TEXTS).tolist(), "queries": model.encode(TEXTS[:3], prompt_name="query").tolist()}
    with open(os.path.join(path, "golden.json"), "w") as file:
        json.dump(golden, file)


def make_all(folder):
    assert torch.__version__.startswith(PINNED["torch"]) and transformers.__version__ == PINNED["transformers"], f"pinned: {PINNED}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in MODELS:
        make_model(folder, name)
    make_sentences(folder)


def differences(ours, theirs, path):
    """Where two parsed JSON values differ, real numbers by more than rounding on another processor."""
    if isinstance(ours, float) or isinstance(theirs, float):
        return [] if abs(ours - theirs) <= 1e-3 * max(1, abs(theirs)) else [f"{path}: {ours} and {theirs}"]
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return [line for key in ours for line in differences(ours[key], theirs[key], f"{path}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [line for i, (a, b) in enumerate(zip(ours, theirs)) for line in differences(a, b, f"{path}[{i}]")]
    return [] if ours == theirs else [f"{path}: {ours} and {theirs}"]


def compare(kept):
    found = []
    with tempfile.TemporaryDirectory() as made:
        make_all(made)
        for path in sorted(Path(made).rglob("*.*")):
            name = path.relative_to(made)
            other = Path(kept) / name
            if not path.is_file():
                continue
            if not other.exists():
                found.append(f"{name}: missing")
            elif path.suffix == ".json":
                found += differences(json.loads(other.read_text()), json.loads(path.read_text()), str(name))
            elif path.suffix == ".safetensors":
                a, b = load_file(other), load_file(path)
                found += [f"{name}: {key}" for key in b if key not in a or not torch.allclose(a[key], b[key], atol=1e-4)]
    print("\n".join(found) or "the golden files are what transformers computes")
    sys.exit(1 if found else 0)


def check(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    is_span = config.architectures[0].endswith("ForQuestionAnswering")
    model, loading = (AutoModelForQuestionAnswering if is_span else AutoModelForSequenceClassification).from_pretrained(folder, output_loading_info=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        answers = find_spans(model.eval(), tokenizer) if is_span else classify(model.eval(), tokenizer)
    lists = {key: sorted(map(str, value)) for key, value in loading.items() if key in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    print(json.dumps({"class": type(model).__name__, "answers": answers, **lists}))


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden-encoders")
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    elif sys.argv[1:2] == ["--compare"]:
        compare(golden)
    else:
        make_all(sys.argv[1] if len(sys.argv) > 1 else golden)
