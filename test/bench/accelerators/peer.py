"""The peer on an accelerator: PyTorch with transformers, eager or compiled, on a CUDA GPU where PyTorch sees one, else on the CPU.

Answers questions (contender.py). The first word of its command is `eager` or `compile`. T5ForConditionalGeneration, fused AdamW,
clip_grad_norm_; bf16 is torch.autocast; fp32 products are full float32, tf32 ones those of "high".
"""

import sys
import time

import torch
import transformers
from contender import measure_memory, serve_contender
from transformers import T5ForConditionalGeneration

transformers.logging.set_verbosity_error()
# Each shape of a batch is compiled for itself, as ours is.
torch._dynamo.config.recompile_limit = 256
is_compiled = sys.argv[1:] == ["compile"]
device = "cuda" if torch.cuda.is_available() else "cpu"
learning_rate = 1e-4
pad = 0
end = 1


def describe():
    name = torch.cuda.get_device_name() if device == "cuda" else f"cpu, {torch.backends.cpu.get_cpu_capability()}"
    return {"torch": torch.__version__, "transformers": transformers.__version__, "torchDevice": name}


def load(folder, threads):
    torch.set_num_threads(threads)
    return T5ForConditionalGeneration.from_pretrained(folder, dropout_rate=0.0, dtype=torch.float32).to(device)


class Trainee:
    """A model in training on batches that were given before."""

    def __init__(self, folder, threads, precision, batches):
        self.model = load(folder, threads).train()
        self.forward = torch.compile(self.model, dynamic=False) if is_compiled else self.model
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=learning_rate, weight_decay=0.0, fused=True)
        self.precision = precision
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        self.batches = [{name: torch.tensor(values) for name, values in batch.items()} for batch in batches]

    def step(self, index):
        batch = {name: values.to(device) for name, values in self.batches[index].items()}
        with torch.autocast(device, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self.forward(input_ids=batch["inputIds"], attention_mask=batch["inputMask"], labels=batch["labels"]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        # Waits until the device has done all of it.
        return loss.item()


trainee = None
answerer = None


def prepare(**options):
    global trainee
    trainee = Trainee(**options)


def run_steps(batches):
    """One step on each of these batches."""
    milliseconds, losses = [], []
    for index in batches:
        began = time.perf_counter()
        losses.append(trainee.step(index))
        milliseconds.append((time.perf_counter() - began) * 1e3)
    return {"milliseconds": milliseconds, "losses": losses}


def prepare_decoding(folder, threads):
    global answerer
    answerer = load(folder, threads).eval()
    if is_compiled:
        # transformers compiles a decoding step by itself where the cache keeps its size.
        answerer.generation_config.cache_implementation = "static"


def generate(rows, max_new_tokens):
    """The new tokens of one batch."""
    length = max(map(len, rows))
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    answers = answerer.generate(
        input_ids=ids.to(device),
        attention_mask=mask.to(device),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=pad,
    )
    return [strip(answer[1:]) for answer in answers.tolist()]


def strip(tokens):
    """Up to the first end, without it."""
    return tokens[: tokens.index(end)] if end in tokens else tokens


def decode(rows, maxNewTokens, batch):
    """Rows of like length together."""
    answers = [None] * len(rows)
    began = time.perf_counter()
    with torch.inference_mode():
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        for first in range(0, len(order), batch):
            group = order[first : first + batch]
            for row, answer in zip(group, generate([rows[row] for row in group], maxNewTokens)):
                answers[row] = answer
    return {"seconds": time.perf_counter() - began, "tokens": answers}


def choose_batch(rows, maxNewTokens, sizes):
    """The batch size that is fastest for these rows."""
    seconds = {}
    for batch in sizes:
        decode(rows, maxNewTokens, batch)
        seconds[batch] = decode(rows, maxNewTokens, batch)["seconds"]
    return {"batch": min(seconds, key=seconds.get), "seconds": seconds}


def memory():
    """The device's memory where PyTorch counts it, else the process's."""
    if device == "cpu":
        return measure_memory()
    return {"peak": torch.cuda.max_memory_allocated() / 1e6, "current": torch.cuda.memory_allocated() / 1e6}


serve_contender(
    {
        "describe": describe,
        "prepare": prepare,
        "steps": run_steps,
        "prepareDecoding": prepare_decoding,
        "decode": decode,
        "chooseBatch": choose_batch,
        "memory": memory,
    }
)
