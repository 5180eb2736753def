"""The field's own code in scoring: sacrebleu, Google's rouge_score, and SQuAD's evaluation script, whose functions stand here as it has them."""

import collections
import json
import os
import re
import string
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from contender import serve_contender  # noqa: E402

import sacrebleu  # noqa: E402
from rouge_score import rouge_scorer  # noqa: E402

rows: list = []


def load(file: str) -> int:
    with open(file, encoding="utf-8") as lines:
        rows[:] = [json.loads(line) for line in lines]
    return len(rows)


def normalize_answer(s: str) -> str:
    def remove_articles(text):
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return white_space_fix(remove_articles(remove_punc(s.lower())))


def f1_score(prediction: str, ground_truth: str) -> float:
    prediction_tokens = normalize_answer(prediction).split()
    ground_truth_tokens = normalize_answer(ground_truth).split()
    common = collections.Counter(prediction_tokens) & collections.Counter(ground_truth_tokens)
    num_same = sum(common.values())
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(prediction_tokens)
    recall = 1.0 * num_same / len(ground_truth_tokens)
    return (2 * precision * recall) / (precision + recall)


def mean(values: list) -> float:
    return sum(values) / len(values)


def rouge_l(answers: list, references: list) -> float:
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    return mean([scorer.score(reference, answer)["rougeL"].fmeasure for answer, reference in zip(answers, references)])


METRICS = {
    "chrF": lambda a, r: sacrebleu.CHRF().corpus_score(a, [r]).score,
    "chrF++": lambda a, r: sacrebleu.CHRF(word_order=2).corpus_score(a, [r]).score,
    "BLEU": lambda a, r: sacrebleu.BLEU().corpus_score(a, [r]).score,
    "ROUGE-L": rouge_l,
    "exactMatch": lambda a, r: mean([float(answer == reference) for answer, reference in zip(a, r)]),
    "exactMatchNormalized": lambda a, r: mean([float(normalize_answer(x) == normalize_answer(y)) for x, y in zip(a, r)]),
    "tokenF1": lambda a, r: mean([f1_score(answer, reference) for answer, reference in zip(a, r)]),
}


def score(metric: str, count: int) -> dict:
    answers, references = ([row[side] for row in rows[:count]] for side in (0, 1))
    began = time.perf_counter()
    value = METRICS[metric](answers, references)
    return {"seconds": time.perf_counter() - began, "value": value}


serve_contender({"load": load, "score": score})
