"""What transformers' generate answers under the rules of generation configurations, for the small models beside this file.

Writes golden-rules.json. Run with the versions that make_golden.py names: python make_rules_golden.py
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

transformers.logging.set_verbosity_error()
here = Path(__file__).parent
models = {"golden/gated-untied": AutoModelForSeq2SeqLM, "golden-decoders/gpt2-untied": AutoModelForCausalLM}
rules = {
    "repetition": {"repetition_penalty": 1.7},
    "repetition beams": {"repetition_penalty": 1.7, "num_beams": 3},
    "repeats wanted": {"repetition_penalty": 0.8},
    "ngram": {"no_repeat_ngram_size": 2},
    "ngram beams": {"no_repeat_ngram_size": 2, "num_beams": 3},
    "one gram": {"no_repeat_ngram_size": 1},
    "least new": {"min_new_tokens": 6},
    "least new beams": {"min_new_tokens": 6, "num_beams": 3},
    "forced end": {"forced_eos_token_id": 9},
    "suppressed": {"suppress_tokens": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "begin_suppress_tokens": [13, 14, 15, 16]},
    "banned runs": {"bad_words_ids": [[9], [12], [14, 15], [21, 22], [30]]},
    "never beams": {"early_stopping": "never", "num_beams": 3, "length_penalty": 2.0},
}
only_with_encoder = {"forced start": {"forced_bos_token_id": 17}, "least": {"min_length": 5}, "forced start beams": {"forced_bos_token_id": 17, "num_beams": 2}}

answers = {}
for folder, kind in models.items():
    model = kind.from_pretrained(here / folder, dtype=torch.float32).eval()
    questions = json.loads((here / folder / "golden.json").read_text())["questions"][:6]
    ends = model.generation_config.eos_token_id
    found = {}
    for name, rule in {**rules, **(only_with_encoder if model.config.is_encoder_decoder else {})}.items():
        rows = []
        for question in questions:
            ids = torch.tensor([question])
            given = {**rule, **({"forced_eos_token_id": ends if isinstance(ends, int) else ends[0]} if "forced_eos_token_id" in rule else {})}
            row = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=0, **given)
            row = row[0].tolist()[1 if model.config.is_encoder_decoder else len(question) :]
            stops = {ends} if isinstance(ends, int) else set(ends)
            end = next((at for at, token in enumerate(row) if token in stops), len(row))
            rows.append(row[:end])
        found[name] = {"configuration": given, "tokens": rows}
    answers[folder] = {"endIds": [ends] if isinstance(ends, int) else ends, "answers": found}
(here / "golden-rules.json").write_text(json.dumps(answers) + "\n")
