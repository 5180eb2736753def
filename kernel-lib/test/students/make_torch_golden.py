# Makes the small torch files of ./golden-torch, as torch.save writes them, and the numbers in them, for torch-checkpoint.test.ts.
#
#   python -m venv VENV && VENV/bin/pip install torch==2.15.0
#   VENV/bin/python make_torch_golden.py [FOLDER]      writes FOLDER (default: ./golden-torch)
#   VENV/bin/python make_torch_golden.py --compare     makes them anew and compares what is in them with ./golden-torch
import collections
import json
import os
import shutil
import sys
import tempfile
import zipfile

import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def numbers(*shape):
    return torch.sin(torch.arange(1, 1 + torch.Size(shape).numel()).reshape(shape).float() * 1.7) * 3


def make_tensors():
    """Every type, and every way in which a tensor can lie in its storage."""
    base = numbers(6, 5)
    special = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, float("inf"), float("-inf"), 0.333, 1e-30, 3e38])
    tensors = collections.OrderedDict()
    tensors["float32"] = special.clone()
    tensors["float16"] = special.to(torch.float16)
    tensors["bfloat16"] = special.to(torch.bfloat16)
    tensors["float64"] = special.to(torch.float64) / 3
    tensors["int64"] = torch.tensor([0, -1, 2**53 + 1, -(2**62), 7])
    tensors["int32"] = torch.tensor([0, -1, 2**31 - 1], dtype=torch.int32)
    tensors["int16"] = torch.tensor([0, -1, 2**15 - 1], dtype=torch.int16)
    tensors["int8"] = torch.tensor([0, -1, 127], dtype=torch.int8)
    tensors["uint8"] = torch.tensor([0, 200, 255], dtype=torch.uint8)
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 4)
    tensors["whole"] = base
    tensors["transposed"] = base.t()
    tensors["rows"] = base[2:4]
    tensors["columns"] = base[:, 1:4]
    tensors["steps"] = base[::2, ::3]
    tensors["cube"] = numbers(2, 3, 4).permute(2, 0, 1)
    tensors["expanded-row"] = numbers(4).expand(1, 4)
    tensors["parameter"] = torch.nn.Parameter(numbers(2, 3))
    tensors["half-columns"] = base.to(torch.float16)[:, 2:]
    return tensors


def describe(tensors):
    return {name: {"shape": list(value.shape), "bits": value.detach().float().contiguous().view(torch.int32).flatten().tolist()} for name, value in tensors.items()}


def make_all(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "sharded"))
    tensors = make_tensors()
    torch.save(tensors, os.path.join(folder, "pytorch_model.bin"))
    with open(os.path.join(folder, "golden.json"), "w") as file:
        json.dump(describe(tensors), file)

    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    with torch.no_grad():
        for i, weight in enumerate(model.parameters()):
            weight.copy_(numbers(*weight.shape) + i)
    state = model.state_dict()
    files = {name: f"pytorch_model-0000{i // 2 + 1}-of-00002.bin" for i, name in enumerate(state)}
    for shard in sorted(set(files.values())):
        part = collections.OrderedDict((name, value) for name, value in state.items() if files[name] == shard)
        torch.save(part, os.path.join(folder, "sharded", shard), pickle_protocol=4 if "00002-of" in shard else 2)
    with open(os.path.join(folder, "sharded", "pytorch_model.bin.index.json"), "w") as file:
        json.dump({"metadata": {}, "weight_map": files}, file)
    with open(os.path.join(folder, "sharded", "golden.json"), "w") as file:
        json.dump(describe(state), file)

    # The same archive as one over 4 GiB would be: with every size and offset in its 64-bit form.
    zipfile.ZIP64_LIMIT = 1
    with zipfile.ZipFile(os.path.join(folder, "sharded", files["0.weight"])) as source:
        with zipfile.ZipFile(os.path.join(folder, "zip64.bin"), "w") as target:
            for entry in source.infolist():
                target.writestr(entry.filename, source.read(entry))
    zipfile.ZIP64_LIMIT = (1 << 31) - 1

    class Hostile:
        def __reduce__(self):
            return os.system, ("touch hostile-was-here",)

    torch.save({"weight": numbers(2), "trap": Hostile()}, os.path.join(folder, "hostile.bin"))
    torch.save({"weight": numbers(2)}, os.path.join(folder, "before-1.6.bin"), _use_new_zipfile_serialization=False)
    torch.save({"step": 3, "model": {"weight": numbers(2)}}, os.path.join(folder, "nested.bin"))
    torch.save({"weight": numbers(2).to(torch.float8_e4m3fn)}, os.path.join(folder, "float8.bin"))


def compare(kept):
    with tempfile.TemporaryDirectory() as made:
        make_all(made)
        same = True
        for name in ["golden.json", "sharded/golden.json"]:
            with open(os.path.join(made, name)) as a, open(os.path.join(kept, name)) as b:
                same = same and json.load(a) == json.load(b)
        for name in ["pytorch_model.bin", "sharded/pytorch_model-00001-of-00002.bin", "sharded/pytorch_model-00002-of-00002.bin"]:
            a, b = (describe(torch.load(os.path.join(folder, name), weights_only=False)) for folder in [made, kept])
            same = same and a == b
    print("the golden files are what torch writes" if same else "the golden files differ from what torch writes")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    golden = os.path.join(HERE, "golden-torch")
    if sys.argv[1:2] == ["--compare"]:
        compare(golden)
    else:
        make_all(sys.argv[1] if len(sys.argv) > 1 else golden)
