# Makes the small tokenizers of ./golden-tokenizers, in the files that models are published with, and what transformers makes of odd
# texts with them, for tokenizer-files.test.ts.
#
#   python -m venv VENV && VENV/bin/pip install transformers==5.23.0 tokenizers==0.23.3 sentencepiece==0.2.3 protobuf==7.36.2
#   VENV/bin/python make_tokenizer_golden.py [FOLDER]  trains the tokenizers and writes FOLDER (default: ./golden-tokenizers)
#   VENV/bin/python make_tokenizer_golden.py --texts   keeps the tokenizers and writes anew what transformers makes of the texts
#   VENV/bin/python make_tokenizer_golden.py --compare computes that and compares it with what is kept
#   VENV/bin/python make_tokenizer_golden.py --check FOLDER   what transformers makes of a tokenizer that this library saved, as JSON
import json
import os
import random
import shutil
import sys

import sentencepiece
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

PINNED = {"transformers": "5.23.0"}
HERE = os.path.dirname(os.path.abspath(__file__))

# The text that the tokenizers are trained on: written for this file.
SENTENCES = """The quick brown fox jumps over the lazy dog near the river bank at 10:30.
On the 3rd of May 1999 she wrote twenty-one letters, and nobody answered any of them.
Return the list of numbers that are larger than the mean; an empty list has no mean.
def add(first, second): return first + second
for (let i = 0; i < rows.length; i++) { total += rows[i].price * 1.19 }
Where was the treaty signed? It was signed in Zürich in the summer of 1848.
What is the capital of France? Paris is the capital and the largest city of France.
Über den Wolken muss die Freiheit wohl grenzenlos sein, sagt man.
Le garçon naïf a mangé un gâteau à la crème près de l'hôtel.
El niño comió una manzana y después bebió agua fría.
Сегодня хорошая погода, и мы идём в парк.
今日はとても良い天気ですね。東京は日本の首都です。
Label the sentence as positive or negative: I didn't like the film, but they'll love it.
The answer is 42, not 41; it's 3.14159 times as large as 13.37.
Each row has an input and an output; the output is what the student should answer.
A small model learns from the rows that a large model wrote.
Tokens, tokenizers, tokenization: the same word in different clothes.
Translate English to German: The house is wonderful. Das Haus ist wunderbar.
He said "hello", she said 'goodbye', and we've all heard it before.
Prices rose by 5% in 2023 (from $1,200 to $1,260) and fell again in 2024.""".split("\n")

TEXTS = [
    "", " ", "  ", "\t", "\n", "a", " a", "a ", "  a  b  ", "\ta\tb\n", "a\r\nb\n\nc", "\n\n  x",
    "The quick brown fox", "the QUICK Brown foX jumps!", "hello, world! It's 10:30.", "I didn't; we've; they'll; I'M", "3.14159 and 1,200 and 2024",
    "(from $1,200 to $1,260)", "a+b=c; i++ && j--", "def add(first, second):\n    return first + second", "for (let i = 0; i < n; i++) { x += 1 }",
    "Zürich, 7 août", "garçon naïf gâteau", "nin\u0303o and ni\u00f1o", "cafe\u0301 café CAFÉ", "Über ÜBER über ß ẞ", "İstanbul ıI", "ΑΣΣ σς Σ",
    "Сегодня хорошая погода", "今日はとても良い天気ですね", "東京 は日本", "中文测试，标点。", "한국어 텍스트", "עברית שלום", "العربية مرحبا", "हिन्दी नमस्ते", "ไทย ภาษา",
    "😀", "a😀b", "👨‍👩‍👧‍👦 family", "🇫🇷🇩🇪", "👍🏽 ok", "x 🤷 y", "𝒳𝔘 math", "𠀋 rare", "ﬁne ﬂow ﬃ", "ＦＵＬＬ　ｗｉｄｔｈ１２３", "①②③ ½ ²", "…—–‘’“”", "a\u00a0b\u2003c\u3000d", "\ufeffbom", "zero\u200bwidth\u200djoin",
    "soft\u00adhyphen", "\u0085nel", "ctrl\u0001\u0002x", "a\u0000b", "\ufffd replacement", "line\u2028sep", "tab\tand  two   spaces ", "trailing   ", "   leading",
    "supercalifragilisticexpialidocious" * 2, "x" * 101, "ab" * 30, "1" * 20, "." * 20, "-" * 9, "!?!?!?", "____", "a_b-c/d\\e", "http://example.org/a?b=c&d=%20", "me@example.org",
    "<s> a </s>", "</s>", "a</s>b", "a </s> b", "<pad>", "<unk>", "x<unk>y", "<mask>", "the <mask> of", "[CLS] a [SEP]", "[MASK]", "the [MASK] sat", "[mask]", "[UNK]x",
    "<|endoftext|>", "a<|endoftext|>b", "<|im_start|>user\nhi<|im_end|>", "<extra_id_0>", "a <extra_id_1> b <extra_id_2>", "<extra_id_99>", "<extra_id_0><extra_id_1>", "<0x41>", "<0x0A>", "▁", "▁the ▁ x", "Ġthe Ċ", "##ing", "a ##b",
    "special_word", "xspecial_wordx", "a special_word.", "SPECIAL_WORD", "(special_word)", "user_symbol", "xuser_symboly", "a user_symbol b",
    "Tokenization tokenizers", "unbelievably", "wonderful", "wunderbar", "isn't it?", "rock 'n' roll", "O'Neil's", "e.g. i.e. etc.", "Mr. Smith , said : no !", "do n't", "A.B.C.",
    "the the the the", "thethethe", "THE", "tHe", "a  b   c    d", "\u0301leading accent", "e\u0301\u0327\u0323", "\u212b \u00c5 A\u030a", "ǅ ǆ", "ﷺ", "Ⅷ ⅷ", "㍿ ㌔", "ｶﾞｷﾞ がぎ", "한국 vs 한국",
]


def make_texts():
    """The texts above, and mixtures of their parts drawn from a seed."""
    generator = random.Random(11)
    parts = [text for text in TEXTS if 0 < len(text) < 30] + ["\n", " ", "  ", ", "]
    words = " ".join(SENTENCES).split(" ")
    mixed = ["".join(generator.choice(parts) for _ in range(generator.randint(2, 4))) for _ in range(26)]
    sentences = [" ".join(generator.choice(words) for _ in range(generator.randint(3, 9))) for _ in range(20)]
    return TEXTS + mixed + sentences


QUESTION = "Where was the treaty signed?"
PAIRS = [
    [QUESTION, "It was signed in Zürich in the summer of 1848."],
    ["What is  the capital ?", "  Paris\u00a0is the capital\tof France 😀, isn't it? "],
    ["", "no question"],
    ["no context", ""],
    ["naïve cafe\u0301 İ", "Über 東京 ΑΣΣ  ﬁne supercalifragilisticexpialidocious <extra_id_0> [MASK] x"],
    ["x" * 102, "a🤷b unbelievably\n\n  \u0301accent Å"],
]

# A few of the rules that sentencepiece's own normalisers have; the whole set takes 240 kB in each model.
RULES = [
    ("ﬁ", "fi"), ("ﬂ", "fl"), ("ﬃ", "ffi"), ("…", "..."), ("\u00a0", " "), ("\u2003", " "), ("\u3000", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("½", "1\u20442"), ("²", "2"),
    ("①", "1"), ("\u0001", ""), ("\u0002", ""), ("\u00ad", ""), ("\u200b", " "), ("\ufeff", ""), ("e\u0301", "\u00e9"), ("n\u0303", "\u00f1"), ("A\u030a", "\u00c5"), ("\u212b", "\u00c5"), ("e\u0301\u0327", "\u0229\u0301"), ("ｶﾞ", "ガ"), ("ｷ", "キ"),
    ("🤷", "?"), ("𝒳", "X"), ("㍿", "株式会社"), *[(chr(0xFF21 + i), chr(65 + i)) for i in range(26)],
]


def train_sentencepiece(folder, name, **options):
    os.makedirs(folder)
    source = os.path.join(folder, "sentences.txt")
    with open(source, "w") as file:
        file.write("\n".join(SENTENCES * 3))
    rules = os.path.join(folder, "rules.tsv")
    with open(rules, "w") as file:
        file.writelines("\t".join([" ".join(f"{ord(c):X}" for c in side) for side in rule]) + "\n" for rule in RULES)
    if options.pop("has_rules"):
        options["normalization_rule_tsv"] = rules
    else:
        options["normalization_rule_name"] = "identity"
    sentencepiece.SentencePieceTrainer.train(
        input=source, model_prefix=os.path.join(folder, "made"), hard_vocab_limit=False, num_threads=1, minloglevel=2, **options)
    os.rename(os.path.join(folder, "made.model"), os.path.join(folder, name))
    for rest in ["made.vocab", "sentences.txt", "rules.tsv"]:
        os.remove(os.path.join(folder, rest))


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, ensure_ascii=False, indent=None if "golden" in os.path.basename(path) else 1)


def train_byte_level(folder, size, special, pre_tokenizer=None, normalizer=None):
    os.makedirs(folder)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.model.save(folder)


def train_word_piece(folder, lower):
    os.makedirs(folder)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=420, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.model.save(folder)


def make_described(folder):
    """A tokenizer.json with parts that the others do not have: byte fallback of Unigram, tokens of one's own of every kind."""
    os.makedirs(folder)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)] + [(f"<0x{i:02X}>", -20.0) for i in range(256)]
    pieces += [(piece, -2.0 - 0.31 * i / len(piece)) for i, piece in enumerate(["▁", "▁the", "▁▁", "the", "ing", "▁a", "er", *"abcdefghilmnoprstuwyMSZ1239,."])]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=False, right=True), normalizers.Replace("``", '"')])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    added = transformers.AddedToken
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    fast.add_tokens([added("special_word", single_word=True, normalized=False), added("<mask>", lstrip=True, rstrip=False, normalized=False, special=True)])
    fast.add_tokens([added("ﬁne", normalized=True), added("user_symbol", rstrip=True, normalized=True)])
    fast.save_pretrained(folder)
    with open(f"{folder}/tokenizer.json") as file:
        description = json.load(file)
    with open(f"{folder}/tokenizer.json", "w") as file:
        json.dump(description, file, ensure_ascii=False)


def make_tokenizers(folder):
    shutil.rmtree(folder, ignore_errors=True)
    t5 = os.path.join(folder, "t5")
    train_sentencepiece(t5, "spiece.model", model_type="unigram", vocab_size=340, has_rules=True, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, user_defined_symbols=["user_symbol"])
    extra = [f"<extra_id_{i}>" for i in range(5)]
    write_json(f"{t5}/tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "extra_ids": 5, "additional_special_tokens": extra, "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"})

    # As mT5 is published: names of special tokens in a file of their own, no extra ids, byte pieces in the vocabulary.
    mt5 = os.path.join(folder, "mt5")
    train_sentencepiece(mt5, "spiece.model", model_type="unigram", vocab_size=560, has_rules=True, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, byte_fallback=True)
    write_json(f"{mt5}/tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "additional_special_tokens": None})
    write_json(f"{mt5}/special_tokens_map.json", {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"})

    llama = os.path.join(folder, "llama")
    train_sentencepiece(llama, "tokenizer.model", model_type="bpe", vocab_size=520, has_rules=False, byte_fallback=True, add_dummy_prefix=True, remove_extra_whitespaces=False, split_digits=True, user_defined_symbols=["user_symbol"])
    write_json(f"{llama}/tokenizer_config.json", {
        "tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "legacy": False, "clean_up_tokenization_spaces": False,
        "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
        "eos_token": {"__type": "AddedToken", "content": "</s>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
        "unk_token": {"__type": "AddedToken", "content": "<unk>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
        "pad_token": None,
    })

    xlm = os.path.join(folder, "xlm-roberta")
    train_sentencepiece(xlm, "sentencepiece.bpe.model", model_type="unigram", vocab_size=320, has_rules=True)
    write_json(f"{xlm}/config.json", {"model_type": "xlm-roberta"})
    write_json(f"{xlm}/tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer", "mask_token": {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False, "__type": "AddedToken"}})

    gpt2 = os.path.join(folder, "gpt2")
    train_byte_level(gpt2, 400, ["<|endoftext|>"])
    write_json(f"{gpt2}/config.json", {"model_type": "gpt2"})
    write_json(f"{gpt2}/tokenizer_config.json", {"model_max_length": 1024})

    # As CodeT5 is published.
    codet5 = os.path.join(folder, "codet5")
    train_byte_level(codet5, 400, ["<pad>", "<s>", "</s>", "<unk>", "<mask>"])
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>"}
    tokens = [{"content": token, "single_word": False, "lstrip": True, "rstrip": False, "normalized": True} for token in reversed(extra)]
    mask = {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": True}
    write_json(f"{codet5}/special_tokens_map.json", {**names, "mask_token": mask, "additional_special_tokens": tokens})
    typed = lambda token: {**token, "__type": "AddedToken"}
    write_json(f"{codet5}/tokenizer_config.json", {
        **names, "mask_token": typed(mask), "additional_special_tokens": [typed(token) for token in tokens],
        "tokenizer_class": "RobertaTokenizer", "add_prefix_space": False, "errors": "replace", "trim_offsets": True, "model_max_length": 512,
    })
    write_json(f"{codet5}/added_tokens.json", {token: 400 + i for i, token in enumerate(reversed(extra))})

    qwen = os.path.join(folder, "qwen2")
    train_byte_level(qwen, 420, [])
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    write_json(f"{qwen}/tokenizer_config.json", {
        "tokenizer_class": "Qwen2Tokenizer", "add_bos_token": False, "add_prefix_space": False, "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None,
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"], "clean_up_tokenization_spaces": False, "errors": "replace", "split_special_tokens": False, "model_max_length": 32768,
        "added_tokens_decoder": {
            str(420 + i): {"content": token, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True} for i, token in enumerate(special)
        },
    })

    train_word_piece(os.path.join(folder, "bert"), lower=True)
    write_json(f"{folder}/bert/config.json", {"model_type": "bert"})
    write_json(f"{folder}/bert/tokenizer_config.json", {"do_lower_case": True})
    train_word_piece(os.path.join(folder, "bert-cased"), lower=False)
    write_json(f"{folder}/bert-cased/tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "tokenize_chinese_chars": False})

    make_described(os.path.join(folder, "described"))


def in_code_units(text, position):
    """Positions as JavaScript counts them."""
    return len(text[:position].encode("utf-16-le")) // 2


def encode_pair(tokenizer, first, second, is_ranged):
    encoding = tokenizer._tokenizer.encode(first, second)
    offsets = [
        [in_code_units(second if sequence else first, place) for place in span] if sequence is not None else None
        for span, sequence in zip(encoding.offsets, encoding.sequence_ids)
    ]
    return {"ids": encoding.ids, "types": encoding.type_ids, "sources": encoding.sequence_ids, **({"ranges": offsets} if is_ranged else {})}


def describe_texts(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    is_ranged = os.path.basename(folder) in RANGED
    rows = []
    for text in make_texts():
        ids = tokenizer(text).input_ids
        plain = tokenizer._tokenizer.encode(text, add_special_tokens=False)
        assert plain.ids == tokenizer(text, add_special_tokens=False).input_ids
        spans = [[in_code_units(text, place) for place in span] for span in plain.offsets]
        output = tokenizer.decode(ids, skip_special_tokens=True)
        rows.append([ids, spans if is_ranged else [], None if output == text else output])
    # A decoder-only model answers with ids that no text gave.
    generator = random.Random(5)
    drawn = [[generator.randrange(len(tokenizer)) for _ in range(8)] for _ in range(20)]
    roles = ["pad", "eos", "bos", "unk", "sep", "cls", "mask"]
    return {
        "class": type(tokenizer).__name__,
        "size": len(tokenizer),
        "roles": {role: getattr(tokenizer, f"{role}_token_id") for role in roles},
        "rows": rows,
        "drawn": [[ids, tokenizer.decode(ids, skip_special_tokens=True)] for ids in drawn],
        "pairs": [encode_pair(tokenizer, *pair, is_ranged) for pair in PAIRS],
    }


# Where tokens stand in their texts is kept where answers are spans; elsewhere tokenizers counts a letter's accent to the next token.
RANGED = ["codet5", "bert", "bert-cased"]
NAMES = ["t5", "mt5", "llama", "xlm-roberta", "gpt2", "codet5", "qwen2", "bert", "bert-cased", "described"]


def compact(golden):
    """Numbers of a row in a text: a JSON list of lists takes three times as much."""
    rows = [[" ".join(map(str, ids)), " ".join(f"{a}:{b}" for a, b in spans), output] for ids, spans, output in golden["rows"]]
    return {**golden, "rows": rows}


def cut_texts():
    """How each pre-tokenizer cuts texts: its description, and for each text where the pieces stand."""
    made = [pre_tokenizers.Split(pattern, behavior, invert=invert)
            for pattern in ["-", Regex("[ab]+")] for behavior in ["removed", "isolated", "contiguous", "merged_with_previous", "merged_with_next"]
            for invert in [False, True]]
    made += [pre_tokenizers.Punctuation(behavior) for behavior in ["isolated", "contiguous", "removed", "merged_with_previous"]]
    made += [pre_tokenizers.Digits(individual_digits=single) for single in [False, True]]
    made += [pre_tokenizers.Whitespace(), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.BertPreTokenizer()]
    made += [pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split) for scheme in ["always", "never"] for split in [False, True]]
    made += [pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(True), pre_tokenizers.Punctuation()])]
    texts = ["", "the-final--count-", "-a bb--cab a", "x1 22, 333.4(5)", " Hi!?  it's 10:30... 東京。\u0085z ", "a\u00a0b ½²①٣ _x_"]
    return [{"description": json.loads(one.__getstate__()), "texts": {text: [[in_code_units(text, place) for place in span] for _, span in one.pre_tokenize_str(text)] for text in texts}} for one in made]


def write_texts(folder):
    assert transformers.__version__ == PINNED["transformers"], f"pinned: {PINNED}"
    write_json(f"{folder}/golden-texts.json", {"texts": make_texts(), "pairs": PAIRS})
    write_json(f"{folder}/golden-cuts.json", cut_texts())
    for name in NAMES:
        write_json(f"{folder}/{name}/golden.json", compact(describe_texts(f"{folder}/{name}")))


def compare(folder):
    with open(f"{folder}/golden-texts.json") as file:
        same = json.load(file) == {"texts": make_texts(), "pairs": PAIRS}
    with open(f"{folder}/golden-cuts.json") as file:
        same = same and json.load(file) == cut_texts()
    for name in NAMES:
        with open(f"{folder}/{name}/golden.json") as file:
            if json.load(file) != json.loads(json.dumps(compact(describe_texts(f"{folder}/{name}")))):
                same = False
                print(f"{name} differs")
    print("the golden files are what transformers makes" if same else "the golden files are not what transformers makes")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    golden = os.path.join(HERE, "golden-tokenizers")
    if sys.argv[1:2] == ["--compare"]:
        compare(golden)
    elif sys.argv[1:2] == ["--check"]:
        print(json.dumps(compact(describe_texts(sys.argv[2]))))
    elif sys.argv[1:2] == ["--texts"]:
        write_texts(golden)
    else:
        target = sys.argv[1] if len(sys.argv) > 1 else golden
        make_tokenizers(target)
        write_texts(target)
