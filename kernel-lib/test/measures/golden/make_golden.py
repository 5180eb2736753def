"""Writes the golden files beside it: scores by sacrebleu, rouge_score and scikit-learn, tests by scipy, and SQuAD's own definitions.

    python -m venv .venv && .venv/bin/pip install sacrebleu==2.6.0 rouge-score==0.1.2 scikit-learn==1.9.1 scipy==1.17.1 && .venv/bin/python make_golden.py
"""

import collections
import json
import random
import re
import string
from pathlib import Path

import sacrebleu
from rouge_score import rouge_scorer
from scipy import stats
from sklearn.metrics import f1_score

# (answer, reference): what n-gram counters get wrong.
CASES = [
    ("", ""),
    ("", "a"),
    ("a", ""),
    (" ", " "),
    ("a", "a"),
    ("a", "b"),
    ("ab", "ab"),
    ("Niemand hat die Absicht, eine Mauer zu errichten", "Niemand hat die Absicht, eine Mauer zu errichten"),
    ("Niemand hat die Absicht, eine Mauer zu errichten", "Niemand hat die ganze Absicht, eine große Mauer zu errichten"),
    ("The cat sat on the mat.", "A cat sat on the mat!"),
    ("(hi) there...", "(hi) there"),
    ("'quoted' \"words\", and --- dashes", "quoted words and dashes"),
    ("!", "?"),
    ("!!", "!"),
    ("... !!! ???", "... ??? !!!"),
    ("a b c d e f g", "g f e d c b a"),
    ("x y", "x  y"),
    ("tab\tnew\nline\r\nend", "tab new line end"),
    ("no\u00a0break em\u2003space ideographic\u3000space", "no break em space ideographic space"),
    ("unit\x1fseparator next\x85line", "unit separator next line"),
    ("\ufeffbyte order mark", "byte order mark"),
    ("zero\u200bwidth", "zerowidth"),
    ("東京は日本の首都です。", "東京は日本の首都である。"),
    ("Pythonのリスト`numbers`内の要素を", "リスト`numbers`の要素を合計する"),
    ("。", "。"),
    ("кошка сидит", "кошка сидела на окне"),
    ("👩‍👩‍👧‍👦 family 😀", "😀 family 👩‍👩‍👧‍👦"),
    ("𝒳𝒴𝒵 math", "𝒳𝒴 math"),
    ("cafe\u0301", "café"),
    ("straße", "STRASSE"),
    ("N/A", "N/A"),
    ("2009 == 2009 | 2010 == 2010", "2009-2010 == 2009-10"),
    ("early December == 2013-12 | the end of year == 2013", "early December == 2012-12 | the end of year == 2012"),
    ("aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaa"),
    ("aaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaa"),
    ("abcde", "abcdef"),
    ("abcdef", "abcde"),
    ("one", "one two three four five six seven eight nine ten"),
    ("word " * 400, "word other " * 300),
    ("df.groupby('a').agg({'b': ['min', 'max']})", "df.groupby(\"a\")[\"b\"].agg([min, max])"),
    ("the answer is: an apple, the best", "apple"),
    ("A an THE", "the"),
    ("Santa Clara, California", "santa clara california"),
    ("don't stop", "dont stop"),
    ("é the ñ", "é ñ"),
    ("nine nine two", "nine two two"),
]

MANY_GOLDS = [
    ("Levi's Stadium", ["Santa Clara, California", "Levi's Stadium", "Levi's Stadium in Santa Clara"]),
    ("the Broncos", ["Denver Broncos", "Broncos", "the Denver Broncos"]),
    ("", ["a", "b"]),
    ("gold", ["golden", "gold!", "the gold"]),
    ("x y z", ["z y x", "x z y"]),
]


# What sacrebleu's own tests compare, and what its options change: one-character words, texts that are shorter than an order, nothing shared.
SIGNATURE_CASES = [
    ("abcdefg", ["hijklmnop"]),
    ("a", ["b"]),
    ("", ["b"]),
    ("", [""]),
    ("", ["reference"]),
    ("aa", ["ab"]),
    ("a b c d", ["a b c d"]),
    ("a b c", ["a c b"]),
    ("I", ["I am"]),
    ("Die Beziehung zwischen Obama und Netanjahu ist nicht gerade freundlich.", ["Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich."]),
    ("risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .", ["risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists ."]),
    ("your love - is it what the doctor ordered?", ["Your love is what the doctor ordered.", "your love -- it is what the doctor ordered ?"]),
    ("…“curly” ‘quotes’ – and — dashes…", ["... \"curly\" 'quotes' - and -- dashes ..."]),
    ("¿Qué? ¡No! «sí»", ["¿que? ¡no! «si»"]),
    ("3.14, 1,000.50 and 5-7; v1.2.3.", ["3.14 , 1,000.50 and 5 - 7 ; v1.2.3 ."]),
    ("&quot;x&quot; &amp; &lt;y&gt; <skipped> end-\nof line", ["\"x\" & <y> endof line"]),
    ("..,,.. a..b ,c, .5 5. 1..2 -3 4-", [".. ,, .. a . . b , c , .5 5 . 1 . . 2 - 3 4 -"]),
    ("私は 猫 が 好き です。", ["私は猫が好きです。"]),
    ("ﬁne ＦＵＬＬ ｗｉｄｔｈ！", ["fine FULL width!"]),
    ("UPPER lower MiXeD", ["upper LOWER mixed"]),
]

# Every character at which Python splits, and some at which it does not.
WHITESPACE = [*range(9, 14), *range(28, 33), 133, 160, 5760, *range(8192, 8203), 8232, 8233, 8239, 8287, 12288]
NO_WHITESPACE = [0, 8, 14, 27, 127, 132, 6158, 8203, 8204, 8205, 8288, 65279]
SPACE_CASES = [(f"ab{chr(code)}cd ef.{chr(code)}", ["ab cd ef."]) for code in [*WHITESPACE, *NO_WHITESPACE]]

CHRF_OPTIONS = [
    {"eps_smoothing": True},
    {"eps_smoothing": True, "word_order": 2},
    {"whitespace": True},
    {"whitespace": True, "word_order": 1, "lowercase": True},
    {"char_order": 3, "beta": 1},
    {"char_order": 1, "word_order": 3, "beta": 3, "eps_smoothing": True},
]


def chrf_options(pairs):
    answers = [answer for answer, _ in pairs]
    columns = columns_of(pairs)
    cases = []
    for options in CHRF_OPTIONS:
        metric = sacrebleu.CHRF(**options)
        corpus = metric.corpus_score(answers, columns).score
        rows = [metric.sentence_score(answer, golds).score for answer, golds in pairs]
        cases.append({"options": options, "signature": str(metric.get_signature()), "corpus": corpus, "rows": rows})
    return cases


def columns_of(pairs):
    most = max(len(golds) for _, golds in pairs)
    return [[golds[i] if i < len(golds) else None for _, golds in pairs] for i in range(most)]


def random_cases(count):
    """Texts over a tiny alphabet, so that n-grams repeat and partly agree."""
    draw = random.Random(7)
    alphabet = "aab .,é日\t𝒳-"

    def text():
        return "".join(draw.choice(alphabet) for _ in range(draw.randrange(0, 40)))

    return [(text(), text()) for _ in range(count)]


def normalize(text):
    text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def token_f1(answer, gold):
    answer, gold = normalize(answer).split(), normalize(gold).split()
    if not answer or not gold:
        return float(answer == gold)
    shared = sum((collections.Counter(answer) & collections.Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))


def score(pairs):
    """Corpus and sentence scores; references are lists."""
    answers = [answer for answer, _ in pairs]
    columns = columns_of(pairs)
    result = {}
    for name, word_order in (("chrF", 0), ("chrF++", 2)):
        metric = sacrebleu.CHRF(word_order=word_order)
        result[name] = {
            "corpus": metric.corpus_score(answers, columns).score,
            "signature": str(metric.get_signature()),
            "rows": [metric.sentence_score(answer, golds).score for answer, golds in pairs],
        }
    effective = sacrebleu.BLEU(effective_order=True)
    result["BLEU"] = {
        "corpus": sacrebleu.BLEU().corpus_score(answers, columns).score,
        "rows": [effective.sentence_score(answer, golds).score for answer, golds in pairs],
    }
    rouge = rouge_scorer.RougeScorer(["rougeL"])
    rows = [max(rouge.score(gold, answer)["rougeL"].fmeasure for gold in golds) for answer, golds in pairs]
    result["ROUGE-L"] = {"corpus": sum(rows) / len(rows), "rows": rows}
    squad = {
        "exactMatchNormalized": lambda answer, gold: float(normalize(answer) == normalize(gold)),
        "tokenF1": token_f1,
    }
    for name, function in squad.items():
        rows = [max(function(answer, gold) for gold in golds) for answer, golds in pairs]
        result[name] = {"corpus": sum(rows) / len(rows), "rows": rows}
    return result


LABELS = ["positive", "negative", "neutral", "never expected", "never answered"]


def label_set(rows, answered, expected, seed):
    draw = random.Random(seed)
    return [draw.choice(LABELS[:answered]) for _ in range(rows)], [draw.choice(LABELS[5 - expected :]) for _ in range(rows)]


def macro_f1_cases():
    cases = [label_set(1, 3, 5, 1), label_set(7, 4, 4, 2), label_set(200, 4, 5, 3)]
    return [{"answers": a, "references": r, "score": f1_score(r, a, average="macro")} for a, r in cases]


def mcnemar_cases():
    splits = [(0, 0), (1, 0), (5, 5), (3, 12), (40, 90), (700, 801)]
    return [
        {"onlyFirst": a, "onlySecond": b, "p": stats.binomtest(a, a + b).pvalue if a + b else 1.0} for a, b in splits
    ]


def rank_cases():
    draw = random.Random(11)
    pairs = [([1, 2, 3, 4, 5], [1, 3, 2, 5, 4]), ([1, 1, 2, 2, 3, 3], [3, 1, 2, 2, 1, 4]), ([1, 2, 3, 4], [4, 3, 2, 1])]
    pairs.append(([draw.random() for _ in range(12)], [draw.random() for _ in range(12)]))
    return [
        {"x": x, "y": y, "tau": stats.kendalltau(x, y).statistic, "rho": stats.spearmanr(x, y).statistic} for x, y in pairs
    ]


def main():
    sets = {
        "odd texts": [(answer, [gold]) for answer, gold in CASES],
        "several references": MANY_GOLDS,
        "random texts": [(answer, [gold]) for answer, gold in random_cases(200)],
        "sacrebleu's own cases": SIGNATURE_CASES,
        "all kinds of white space": SPACE_CASES,
    }
    content = {
        "sacrebleu": sacrebleu.__version__,
        "sets": [
            {"name": name, "answers": [a for a, _ in pairs], "references": [g for _, g in pairs], "scores": score(pairs)}
            for name, pairs in sets.items()
        ],
        "chrFOptions": chrf_options([*SIGNATURE_CASES, *((answer, [gold]) for answer, gold in random_cases(30))]),
        "macroF1": macro_f1_cases(),
        "mcNemar": mcnemar_cases(),
        "ranks": rank_cases(),
    }
    path = Path(__file__).with_name("scores.json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
