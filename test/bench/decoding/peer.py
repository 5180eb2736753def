"""The peer in decoding: transformers' generate with its key-value cache, in length-sorted batches. Answers questions (contender.py)."""

import json
import os
import time

import torch
import transformers
from contender import serve_contender
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

transformers.logging.set_verbosity_error()
pad = 0
end = 1
batch_sizes = [16, 32, 64]


def describe():
    return {"torch": torch.__version__, "transformers": transformers.__version__}


def make_checkpoint(folder, model, configuration):
    """Random weights, scaled so that tokens differ from row to row and from step to step, in transformers' format."""
    torch.manual_seed(0)
    made = T5ForConditionalGeneration(T5Config(**configuration)) if model == "t5" else LlamaForCausalLM(LlamaConfig(**configuration))
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if name == "shared.weight":
                weight.mul_(0.3)
            elif "relative_attention_bias" in name:
                weight.normal_(0, 3)
            elif name.endswith((".q.weight", "q_proj.weight")):
                weight.mul_(6)
            elif name.endswith((".o.weight", "wo.weight", "o_proj.weight", "down_proj.weight")):
                weight.mul_(4)
    made.save_pretrained(folder)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "ByT5Tokenizer", "extra_ids": 0}, file)


loaded = None
continues = False


def prepare(folder, threads, model):
    global loaded, continues
    torch.set_num_threads(threads)
    continues = model == "llama"
    loaded = (LlamaForCausalLM if continues else T5ForConditionalGeneration).from_pretrained(folder, dtype=torch.float32).eval()


def generate(rows, beams, max_new_tokens):
    """The new tokens of one batch; a decoder-only model's prompts are padded on the left."""
    length = max(map(len, rows))
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    for at, row in enumerate(rows):
        place = slice(length - len(row), length) if continues else slice(0, len(row))
        ids[at, place] = torch.tensor(row)
        mask[at, place] = 1
    answers = loaded.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=beams,
        eos_token_id=end,
        pad_token_id=pad,
    )
    return [strip(answer[length if continues else 1 :]) for answer in answers.tolist()]


def strip(tokens):
    """Up to the first end, without it."""
    return tokens[: tokens.index(end)] if end in tokens else tokens


def decode(rows, together, beams, maxNewTokens, batch):
    answers = [None] * len(rows)
    began = time.perf_counter()
    with torch.inference_mode():
        for start in range(0, len(rows), together):
            part = range(start, min(len(rows), start + together))
            order = sorted(part, key=lambda row: len(rows[row]))
            for first in range(0, len(order), batch):
                group = order[first : first + batch]
                for row, answer in zip(group, generate([rows[row] for row in group], beams, maxNewTokens)):
                    answers[row] = answer
    return {"seconds": time.perf_counter() - began, "tokens": answers}


def choose_batch(rows, beams, together, maxNewTokens, repetitions):
    """The batch size that is fastest for some of the rows and some of the tokens."""
    seconds = {}
    for batch in batch_sizes:
        if batch > len(rows):
            continue
        job = {"rows": rows, "together": together, "beams": beams, "maxNewTokens": 6, "batch": batch}
        seconds[batch] = min(decode(**job)["seconds"] for _ in range(repetitions))
    return {"batch": min(seconds, key=seconds.get), "seconds": seconds}


serve_contender(
    {"describe": describe, "makeCheckpoint": make_checkpoint, "prepare": prepare, "decode": decode, "chooseBatch": choose_batch}
)
