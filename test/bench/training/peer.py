"""The peer in training: PyTorch with transformers, as its users run them. Answers questions (contender.py).

T5ForConditionalGeneration, torch.optim.AdamW in the form that is fastest here, clip_grad_norm_; bf16 is torch.autocast.
"""

import json
import os
import tempfile
import time

import torch
import transformers
from contender import serve_contender
from transformers import T5Config, T5ForConditionalGeneration

transformers.logging.set_verbosity_error()
learning_rate = 1e-4
forms = {"fused": {"fused": True}, "foreach": {"foreach": True}, "loop": {"foreach": False}}


def describe():
    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "cpuCapability": torch.backends.cpu.get_cpu_capability(),
    }


def make_checkpoint(folder, configuration):
    """Random weights in transformers' format, with a byte tokenizer, which nobody asks anything."""
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(T5Config(**configuration))
    model.save_pretrained(folder)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "ByT5Tokenizer", "extra_ids": 0}, file)


class Trainee:
    """A model in training on batches that were given before."""

    def __init__(self, folder, threads, precision, form, batches):
        torch.set_num_threads(threads)
        self.model = T5ForConditionalGeneration.from_pretrained(folder, dropout_rate=0.0).train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=learning_rate, weight_decay=0.0, **forms[form])
        self.precision = precision
        self.batches = [{name: torch.tensor(values) for name, values in batch.items()} for batch in batches]

    def step(self, index):
        batch = self.batches[index]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self.model(input_ids=batch["inputIds"], attention_mask=batch["inputMask"], labels=batch["labels"]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.item()


trainee = None


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


def choose_form(folder, threads, batch):
    """The form of AdamW that is fastest here, by the median of a few steps of the optimizer alone."""
    measured = {}
    for form in forms:
        one = Trainee(folder, threads, "fp32", form, [batch])
        one.step(0)
        for parameter in one.model.parameters():
            parameter.grad = torch.full_like(parameter, 1e-3)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            one.optimizer.step()
            times.append(time.perf_counter() - began)
        measured[form] = sorted(times)[2] * 1e3
    return {"form": min(measured, key=measured.get), "milliseconds": measured}


def train_epoch(folder, threads, rows, precision="fp32"):
    """One epoch of transformers' Trainer with its defaults (8 rows a batch in random order, padded to the longest of the batch), or with bf16=True."""
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments, TrainerCallback

    class Padding:
        """What the collator needs of a tokenizer."""

        padding_side = "right"

        def pad(self, features, return_tensors=None, **_):
            longest = max(len(feature["input_ids"]) for feature in features)
            pad = lambda values, filler: values + [filler] * (longest - len(values))  # noqa: E731
            return {
                "input_ids": torch.tensor([pad(feature["input_ids"], 0) for feature in features]),
                "attention_mask": torch.tensor([pad([1] * len(feature["input_ids"]), 0) for feature in features]),
                **({"labels": torch.tensor([list(feature["labels"]) for feature in features])} if "labels" in features[0] else {}),
            }

    class Stopwatch(TrainerCallback):
        began = None

        def on_step_begin(self, *_, **__):
            self.began = self.began or time.perf_counter()

    torch.set_num_threads(threads)
    model = T5ForConditionalGeneration.from_pretrained(folder)
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as output:
        arguments = Seq2SeqTrainingArguments(
            output_dir=output,
            num_train_epochs=1,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            bf16=precision == "bf16",
            disable_tqdm=True,
            seed=0,
        )
        data = [{"input_ids": row["inputIds"], "labels": row["labelIds"]} for row in rows]
        collator = DataCollatorForSeq2Seq(Padding(), model=model)
        trainer = Seq2SeqTrainer(model=model, args=arguments, train_dataset=data, data_collator=collator, callbacks=[stopwatch])
        result = trainer.train()
        seconds = time.perf_counter() - stopwatch.began
    return {"seconds": seconds, "steps": result.global_step, "loss": result.training_loss}


serve_contender(
    {
        "describe": describe,
        "makeCheckpoint": make_checkpoint,
        "prepare": prepare,
        "steps": run_steps,
        "chooseForm": choose_form,
        "epoch": train_epoch,
    }
)
