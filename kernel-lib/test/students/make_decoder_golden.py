# Makes the small random GPT-2, Llama, Qwen2, Qwen3, SmolLM3 and Mistral checkpoints of ./golden-decoders, and what transformers computes with them, for the
# tests beside this file. Needs the Python that make_golden.py needs. (transformers 4 computes the two GPT-2s so with attn_implementation="eager"
# alone: otherwise it overlooks how they scale attention.)
#
#   VENV/bin/python make_decoder_golden.py [FOLDER]            writes FOLDER (default: ./golden-decoders)
#   VENV/bin/python make_decoder_golden.py --compare           makes them anew and compares them with ./golden-decoders
#   VENV/bin/python make_decoder_golden.py --check STUDENT     what transformers makes of a student that this library saved, as JSON
import json
import os
import shutil
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModelForCausalLM, AutoTokenizer, GPT2Config, LlamaConfig, MistralConfig, PreTrainedTokenizerFast, Qwen2Config, Qwen3Config, SmolLM3Config,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from make_golden import PINNED, TEXTS, compare, train_on

# Odd shapes on purpose: heads' sizes do not add up to the model's, queries share keys, ids end in the middle of the vocabulary.
MODELS = {
    "gpt2": dict(
        kind=GPT2Config, seed=3, deviation=0.3, sharpness=2.0, tokenizer="bytes", vocab_size=271, n_embd=20, n_head=2, n_layer=2, n_inner=33,
        n_positions=72, scale_attn_by_inverse_layer_idx=True, bos_token_id=270, eos_token_id=270,
    ),
    "gpt2-untied": dict(
        kind=GPT2Config, seed=4, deviation=0.35, sharpness=1.5, tokenizer="pieces", vocab_size=47, n_embd=18, n_head=3, n_layer=1, n_positions=64,
        activation_function="gelu", scale_attn_weights=False, layer_norm_epsilon=1e-4, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2,
    ),
    "llama3": dict(
        kind=LlamaConfig, seed=5, deviation=0.3, sharpness=1.5, tokenizer="pieces-begin", vocab_size=53, hidden_size=24, intermediate_size=31,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=10, attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5,
        max_position_embeddings=80, bos_token_id=1, eos_token_id=[2, 5],
        rope_parameters=dict(
            rope_type="llama3", rope_theta=300.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=3.0, original_max_position_embeddings=40,
        ),
    ),
    "qwen2": dict(
        kind=Qwen2Config, seed=6, deviation=0.3, sharpness=2.5, tokenizer="pieces", vocab_size=49, hidden_size=24, intermediate_size=29,
        num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=2, tie_word_embeddings=True, max_position_embeddings=96, bos_token_id=1,
        eos_token_id=2, rope_parameters=dict(rope_type="yarn", rope_theta=500.0, factor=3.0, original_max_position_embeddings=32),
    ),
    "mistral": dict(
        kind=MistralConfig, seed=7, deviation=0.35, sharpness=1.5, tokenizer="pieces-begin", vocab_size=47, hidden_size=16, intermediate_size=24,
        num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=1, hidden_act="gelu", max_position_embeddings=96, bos_token_id=1,
        eos_token_id=2, rope_parameters=dict(rope_type="linear", rope_theta=100.0, factor=2.0),
    ),
    "qwen3": dict(
        kind=Qwen3Config, seed=8, deviation=0.3, sharpness=2.0, tokenizer="pieces", vocab_size=47, hidden_size=16, intermediate_size=21,
        num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2, head_dim=6, attention_bias=True, tie_word_embeddings=True,
        max_position_embeddings=96, bos_token_id=1, eos_token_id=2, rope_parameters=dict(rope_type="default", rope_theta=700.0),
    ),
    "smollm3": dict(
        kind=SmolLM3Config, seed=9, deviation=0.3, sharpness=2.0, tokenizer="pieces-begin", vocab_size=47, hidden_size=16, intermediate_size=21,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=1, no_rope_layer_interval=2, mlp_bias=True, max_position_embeddings=96,
        bos_token_id=1, eos_token_id=2, pad_token_id=0,
    ),
}


def ends_of(config):
    ends = config.eos_token_id
    return ends if isinstance(ends, list) else [ends]


def build(name):
    options = dict(MODELS[name])
    kind, seed, deviation, sharpness = (options.pop(key) for key in ["kind", "seed", "deviation", "sharpness"])
    options.pop("tokenizer")
    torch.manual_seed(seed)
    dropouts = dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0) if kind is GPT2Config else {}
    model = AutoModelForCausalLM.from_config(kind(**options, **dropouts)).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            weight.normal_(0, deviation)
            is_norm = "norm" in key or "ln_" in key
            if is_norm and key.endswith("weight"):
                weight.add_(1)
            # Or else every answer is one token over and over, and none ends.
            if key.endswith(("v_proj.weight", "o_proj.weight", "attn.c_proj.weight")):
                weight.mul_(1.7)
            if key.endswith(("q_proj.weight", "k_proj.weight")):
                weight.mul_(0.7)
            if key.endswith(("model.norm.weight", "ln_f.weight")):
                weight.mul_(sharpness)
        for end in ends_of(model.config):
            model.lm_head.weight[end].mul_(1.6)
    return model


def make_rows(generator, config, count, longest):
    def ids(most):
        length = int(torch.randint(1, most, (1,), generator=generator))
        return torch.randint(6, config.vocab_size - 1, (length,), generator=generator).tolist()

    return [{"inputIds": ids(longest), "labelIds": ids(9) + [ends_of(config)[0]]} for _ in range(count)]


def feed(rows):
    """Prompt and completion after each other, padded on the right; the prompt is not in the loss."""
    whole = [row["inputIds"] + row["labelIds"] for row in rows]
    longest = max(map(len, whole))
    fill = lambda ids, value: ids + [value] * (longest - len(ids))
    return dict(
        input_ids=torch.tensor([fill(ids, 0) for ids in whole]),
        attention_mask=torch.tensor([fill([1] * len(ids), 0) for ids in whole]),
        labels=torch.tensor([fill([-100] * len(row["inputIds"]) + row["labelIds"], -100) for row in rows]),
    )


def strip(tokens, ends):
    for place, token in enumerate(tokens):
        if token in ends:
            return tokens[:place]
    return tokens


def generate(model, prompts, max_new_tokens, **options):
    """Row by row and all together, padded on the left: padding must not matter."""
    ends = ends_of(model.config)
    options = dict(max_new_tokens=max_new_tokens, do_sample=False, pad_token_id=ends[0], **options)
    alone = []
    for prompt in prompts:
        output = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), **options)
        alone.append(strip(output[0][len(prompt) :].tolist(), ends))
    longest = max(map(len, prompts))
    together = model.generate(
        torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts]),
        attention_mask=torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]),
        **options,
    )
    assert [strip(row[longest:].tolist(), ends) for row in together] == alone, "a tie: take another seed"
    return alone


def confidences(model, prompts, answers, max_new_tokens):
    """Of greedy answers; which of several tokens ended an answer is looked up again."""
    result = []
    for prompt, tokens in zip(prompts, answers):
        logits = model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 :]
        chosen = tokens + [int(logits[-1].argmax())] if len(tokens) < max_new_tokens else tokens
        scores = torch.log_softmax(logits[: len(chosen)], -1).gather(1, torch.tensor(chosen)[:, None])
        result.append(scores.mean().exp().item())
    return result


def make_model(folder, name):
    model = build(name)
    path = os.path.join(folder, name)
    model.save_pretrained(path)
    if name == "gpt2":
        write_as_openai_did(os.path.join(path, "model.safetensors"), model.config)
    generator = torch.Generator().manual_seed(7)
    rows = make_rows(generator, model.config, 3, 14)
    output = model(**feed(rows))
    output.loss.backward()
    tensors = {"logits": output.logits.detach()}
    for key, weight in model.named_parameters():
        tensors[f"gradients/{key}"] = weight.grad.detach().clone()
    save_file(tensors, os.path.join(path, "golden.safetensors"))
    golden = {"rows": rows, "loss": output.loss.item()}
    with torch.no_grad():
        questions = [row["inputIds"] for row in make_rows(generator, model.config, 16, 24)]
        golden["questions"] = questions
        golden["greedy"] = generate(model, questions, 12)
        golden["confidences"] = confidences(model, questions, golden["greedy"], 12)
        golden["beam4"] = generate(model, questions, 12, num_beams=4)
        golden["beam3Long"] = generate(model, questions[:6], 40, num_beams=3)
        golden["beam2Early"] = generate(model, questions[:6], 12, num_beams=2, early_stopping=True, length_penalty=0.6)
        golden["greedyLong"] = generate(model, questions[:6], 40)
    batches = [make_rows(generator, model.config, *sizes) for sizes in [(4, 8), (3, 20), (4, 5)]]
    golden["batches"] = batches
    golden["optimizer"] = dict(learningRate=0.01, weightDecay=0.1, maxGradientNorm=1.0)
    golden["losses"], golden["gradientNorms"] = train_on(build(name), [feed(rows) for rows in batches], 10, 0.01, 0.1, 1.0)
    return model, path, golden


def write_as_openai_did(path, config):
    """The published GPT-2 has names without their first part, and buffers of masks among the weights."""
    tensors = {key.removeprefix("transformer."): weight for key, weight in load_file(path).items()}
    for layer in range(config.n_layer):
        tensors[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 5, 5).tril()
    save_file(tensors, path, metadata={"format": "pt"})


def make_tokenizer(path, kind, size):
    if kind == "bytes":
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        merges = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("1", "9"), ("s", "t"), ("o", "f"), ("Ġ", "of"), ("Ġthe", "Ġ"), ("2", "1"), ("M", "a")]
        vocabulary = {token: id for id, token in enumerate(alphabet + ["".join(merge) for merge in merges])}
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        special = dict(bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>")
    else:
        pieces = ["▁", "▁the", "▁of", "▁a", "▁date", "ember", "st", "rd", "an", "tw", "199", "19", "ü", *"abcdefghilmnoprstuwyMSZ1239,."]
        tokens = ["<unk>", "<s>", "</s>"]
        scored = [(token, 0.0) for token in tokens] + [(piece, -2.0 - 0.37 * i / len(piece)) for i, piece in enumerate(pieces)]
        tokenizer = Tokenizer(models.Unigram(scored, unk_id=0, byte_fallback=False))
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        if kind == "pieces-begin":
            tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
        special = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    assert len(fast) <= size, (len(fast), size)
    fast.save_pretrained(path)
    return fast


def answer_texts(model, tokenizer, texts, **options):
    answers = []
    ends = ends_of(model.generation_config)
    for text in texts:
        # A prompt of no token cannot be gone on with: as transformers does, the first token begins it.
        ids = tokenizer(text).input_ids or [model.config.bos_token_id]
        while len(ids) > 1 and ids[-1] in ends:
            ids = ids[:-1]
        fed = dict(attention_mask=torch.ones(1, len(ids)), max_new_tokens=10, do_sample=False, pad_token_id=ends[0])
        tokens = strip(model.generate(torch.tensor([ids]), **fed, **options)[0][len(ids) :].tolist(), ends)
        answers.append({"text": text, "ids": ids, "tokens": tokens, "output": tokenizer.decode(tokens, skip_special_tokens=True)})
    return answers


def make_frequencies(folder):
    """How far each pair of a head turns from one place to the next, for every way of turning."""
    ways = [
        dict(rope_type="default", rope_theta=10000.0),
        dict(rope_type="linear", rope_theta=700.0, factor=2.5),
        dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0),
        dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192),
        dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=512),
        dict(rope_type="yarn", rope_theta=1e6, factor=8.0, original_max_position_embeddings=4096, beta_fast=20, beta_slow=2, truncate=False, mscale=0.7, mscale_all_dim=1.1),
    ]
    golden = []
    for way in ways:
        config = LlamaConfig(hidden_size=128, num_attention_heads=2, max_position_embeddings=2048, rope_parameters=dict(way))
        compute = ROPE_INIT_FUNCTIONS.get(way["rope_type"], LlamaRotaryEmbedding.compute_default_rope_parameters)
        frequencies, factor = compute(config)
        golden.append({"parameters": way, "frequencies": frequencies.tolist(), "attentionFactor": factor})
    with open(os.path.join(folder, "frequencies.json"), "w") as file:
        json.dump(golden, file)


def make_all(folder):
    assert torch.__version__.startswith(PINNED["torch"]) and transformers.__version__ == PINNED["transformers"], f"pinned: {PINNED}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    make_frequencies(folder)
    for name, options in MODELS.items():
        model, path, golden = make_model(folder, name)
        tokenizer = make_tokenizer(path, options["tokenizer"], options["vocab_size"])
        with torch.no_grad():
            golden["texts"] = answer_texts(model, tokenizer, TEXTS)
        with open(os.path.join(path, "golden.json"), "w") as file:
            json.dump(golden, file)


def check(folder):
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    # Not AutoTokenizer, which gives a Qwen2 the tokenizer of the published ones, whatever tokenizer.json says.
    has_description = os.path.exists(os.path.join(folder, "tokenizer.json"))
    tokenizer = (PreTrainedTokenizerFast if has_description else AutoTokenizer).from_pretrained(folder)
    with torch.no_grad():
        print(json.dumps({
            "class": type(model).__name__,
            "tied": model.lm_head.weight.data_ptr() == model.get_input_embeddings().weight.data_ptr(),
            "maxNewTokens": model.generation_config.max_new_tokens,
            "greedy": answer_texts(model, tokenizer, TEXTS),
            "beam4": answer_texts(model, tokenizer, TEXTS, num_beams=4),
        }))


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden-decoders")
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    elif sys.argv[1:2] == ["--compare"]:
        compare(golden, make_all)
    else:
        make_all(sys.argv[1] if len(sys.argv) > 1 else golden)
