"""Writes the golden tables of this folder, as Python writes them.

    pip install pyarrow==26.0.1 datasets==5.2.0
    python make_golden.py
"""
import datetime
import json
import pathlib
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value, disable_progress_bars

disable_progress_bars()
here = pathlib.Path(__file__).parent

rows = {
    "input": ["3rd of May 1999", "", "日本語\u2028と\nÉmile", 'a "quoted", comma', None, "tab\there", "last"],
    "output": ["1999-05-03", "empty input", "N/A", "x", "no input", "y", "z"],
    "count": [1, 2, -3, 2**40, 2**60, None, 7],
    "label": [0, 1, 2, 1, -1, 0, 2],
    "answers": [{"text": ["a", "b"], "start": [1, 2]}, {"text": [], "start": []}, None, {"text": ["c"], "start": [3]}] + [{"text": ["d"], "start": [4]}] * 3,
    "at": [datetime.datetime(1999, 5, 3, 12, 30, 15)] * 6 + [None],
    "score": [0.5, None, 2.25, 1e300, -0.0, 3.0, 4.0],
    "isRight": [True, False, None, True, False, True, False],
}
features = Features(
    {
        "input": Value("string"),
        "output": Value("large_string"),
        "count": Value("int64"),
        "label": ClassLabel(names=["negative", "neutral", "positive"]),
        "answers": {"text": List(Value("string")), "start": List(Value("int32"))},
        "at": Value("timestamp[ms]"),
        "score": Value("float64"),
        "isRight": Value("bool"),
    }
)
typed = Dataset.from_dict(rows, features=features)

pairs = Dataset.from_dict({"input_col": [f"in {i}" for i in range(7)], "output_col": [f"out {i}" for i in range(7)]})

for name in ["saved-typed", "saved-shards", "saved-dict", "saved-empty"]:
    shutil.rmtree(here / name, ignore_errors=True)
typed.save_to_disk(here / "saved-typed")
pairs.save_to_disk(here / "saved-shards", num_shards=3)
DatasetDict({"train": pairs.select(range(5)), "test": pairs.select(range(5, 7))}).save_to_disk(here / "saved-dict")
pairs.select([]).save_to_disk(here / "saved-empty")

typed.to_parquet(here / "typed.parquet")
for codec in ["snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(pairs.data.table, here / f"pairs-{codec}.parquet", compression=codec, row_group_size=3)
with pa.OSFile(str(here / "pairs.arrow"), "wb") as sink, pa.ipc.new_stream(sink, pairs.data.table.schema) as writer:
    writer.write_table(pairs.data.table, max_chunksize=4)

expected = {name: list(column) for name, column in rows.items()}
expected["count"][4] = str(2**60)
expected["score"][4] = 0
expected["label"] = [features["label"].int2str(i) if i >= 0 else None for i in rows["label"]]
expected["at"] = [at and at.isoformat(timespec="milliseconds") + "Z" for at in rows["at"]]
(here / "typed.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")
