# Makes ./golden/training.json: what PyTorch and transformers compute with optimizers, adapters and losses, for the tests beside this file.
#
#   python -m venv VENV && VENV/bin/pip install torch==2.15.0 transformers==5.23.0
#   VENV/bin/python make_golden.py              writes ./golden/training.json
#   VENV/bin/python make_golden.py --compare    makes it anew and compares
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers.optimization import Adafactor

# Odd sizes on purpose: no row is a whole number of SIMD registers; `number` is a matrix in three axes.
SHAPES = {"weight": [5, 7], "wide": [3, 12], "bias": [7], "cube": [2, 3, 5]}
STEPS = 10
KEPT = [1, 5, 10]

OPTIMIZERS = {
    "adafactor": {},
    "adafactor warmupInit": dict(warmup_init=True),
    "adafactor as the Trainer": dict(lr=0.02, scale_parameter=False, relative_step=False),
    "adafactor scaled rate, decay, other clipping": dict(lr=0.02, relative_step=False, weight_decay=0.1, clip_threshold=0.5, decay_rate=-0.6, eps=(1e-20, 0.1)),
    "adafactor clipped gradients": dict(lr=0.02, relative_step=False, max_norm=0.7),
    "adamw": dict(lr=0.02),
    "adamw clipped gradients": dict(lr=0.02, weight_decay=0.2, betas=(0.8, 0.95), max_norm=0.7),
}


def rounded(tensor):
    return [float(f"{x:.7g}") for x in tensor.detach().flatten().tolist()]


def run(name, options, first, gradients):
    options = dict(options)
    max_norm = options.pop("max_norm", None)
    weight_decay = options.pop("weight_decay", 0.01 if name.startswith("adamw") else 0.0)
    parameters = {key: torch.nn.Parameter(value.clone()) for key, value in first.items()}
    groups = [
        {"params": [p for p in parameters.values() if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters.values() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = Adafactor(groups, **options) if name.startswith("adafactor") else torch.optim.AdamW(groups, **options)
    kept = {}
    for step in range(STEPS):
        for key, parameter in parameters.items():
            parameter.grad = gradients[step][key].clone()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters.values(), max_norm)
        optimizer.step()
        if step + 1 in KEPT:
            kept[step + 1] = {key: rounded(parameter) for key, parameter in parameters.items()}
    return kept


def optimizers(generator):
    draw = lambda shape, scale: (torch.randn(shape, generator=generator) * scale).float()
    as_stored = lambda tensor: torch.tensor(rounded(tensor), dtype=torch.float32).reshape(tensor.shape)
    first = {key: as_stored(draw(shape, 0.5)) for key, shape in SHAPES.items()}
    gradients = [{key: as_stored(draw(shape, 0.3 * (1 + step % 3))) for key, shape in SHAPES.items()} for step in range(STEPS)]
    gradients[3]["wide"].zero_()  # a matrix that a step does not reach
    return {
        "shapes": SHAPES,
        "first": {key: rounded(value) for key, value in first.items()},
        "gradients": [{key: rounded(value) for key, value in step.items()} for step in gradients],
        "after": {name: run(name, options, first, gradients) for name, options in OPTIMIZERS.items()},
    }


def criteria(generator):
    """Losses of logits [2, 4, 11] beside a teacher's, two labels left out, and their gradients."""
    stored = lambda tensor: torch.tensor(rounded(tensor), dtype=torch.float32).reshape(tensor.shape)
    logits = stored(torch.randn(2, 4, 11, generator=generator) * 2).requires_grad_()
    teacher = stored(torch.randn(2, 4, 11, generator=generator) * 2)
    labels = torch.randint(0, 11, (2, 4), generator=generator)
    labels[0, 3] = labels[1, 0] = -100
    seen = labels.flatten() != -100
    flat, flat_teacher = logits.reshape(-1, 11), teacher.reshape(-1, 11)

    def distilled(temperature):
        divergence = F.kl_div(
            F.log_softmax(flat[seen] / temperature, -1), F.log_softmax(flat_teacher[seen] / temperature, -1), log_target=True, reduction="batchmean"
        )
        return divergence * temperature**2

    losses = {
        "usual": lambda: F.cross_entropy(flat, labels.flatten()),
        "distilled, temperature 1": lambda: distilled(1.0),
        "distilled, temperature 3": lambda: distilled(3.0),
        "distilled by 0.7 at 2, usual by 0.3": lambda: 0.7 * distilled(2.0) + 0.3 * F.cross_entropy(flat, labels.flatten()),
        "smoothed by 0.1": lambda: F.cross_entropy(flat, labels.flatten(), label_smoothing=0.1),
    }
    found = {}
    for name, loss in losses.items():
        value = loss()
        (gradient,) = torch.autograd.grad(value, logits)
        found[name] = {"loss": rounded(value)[0], "gradient": rounded(gradient)}
    return {"logits": rounded(logits), "teacher": rounded(teacher), "labels": labels.flatten().tolist(), "found": found}


def low_rank(generator):
    """x [3, 5, 7] through W [6, 7] and its adapter of rank 2, scaled by alpha / rank = 16 / 2; ten steps of AdamW towards a target."""
    stored = lambda *shape: torch.tensor(rounded(torch.randn(*shape, generator=generator)), dtype=torch.float32).reshape(shape)
    x, weight, bias, target = stored(3, 5, 7), stored(6, 7), stored(6), stored(3, 5, 6)
    first = {"down": stored(2, 7), "up": stored(6, 2)}
    down, up = (torch.nn.Parameter(first[name].clone()) for name in ["down", "up"])
    optimizer = torch.optim.AdamW([down, up], lr=0.05, weight_decay=0.0)
    losses, gradients = [], None
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.mse_loss(F.linear(x, weight, bias) + F.linear(F.linear(x, down), up) * 8, target)
        loss.backward()
        gradients = gradients or {"down": rounded(down.grad), "up": rounded(up.grad)}
        losses.append(rounded(loss)[0])
        optimizer.step()
    merged = weight + 8 * up @ down
    kept = {"x": x, "weight": weight, "bias": bias, "target": target, **first}
    return {**{name: rounded(value) for name, value in kept.items()}, "losses": losses, "gradients": gradients, "merged": rounded(merged)}


def make():
    return {
        "optimizers": optimizers(torch.Generator().manual_seed(3)),
        "criteria": criteria(torch.Generator().manual_seed(4)),
        "lowRank": low_rank(torch.Generator().manual_seed(5)),
    }


def differences(kept, made, path=""):
    if isinstance(made, dict):
        return [line for key in {*kept, *made} for line in differences(kept.get(key), made.get(key), f"{path}/{key}")]
    if isinstance(made, list) and isinstance(kept, list) and len(made) == len(kept):
        return [line for i, (a, b) in enumerate(zip(kept, made)) for line in differences(a, b, f"{path}/{i}")]
    if isinstance(made, (int, float)) and isinstance(kept, (int, float)):
        return [] if abs(made - kept) <= 1e-5 * max(1, abs(kept)) else [f"{path}: {kept} is kept, {made} was made"]
    return [] if made == kept else [f"{path}: {kept} is kept, {made} was made"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    file = Path(__file__).parent / "golden" / "training.json"
    made = json.loads(json.dumps(make()))
    if sys.argv[1:2] == ["--compare"]:
        found = differences(json.loads(file.read_text()), made)
        print("\n".join(found) or "the golden file is what PyTorch computes")
        sys.exit(1 if found else 0)
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(made, separators=(",", ":")))
