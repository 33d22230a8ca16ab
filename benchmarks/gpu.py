"""Training on a GPU beside this machine's CPU, where there is little more than torch.

    python benchmarks/gpu.py [--only single stack seeds large window recipe] [--devices cuda cpu]
                             [--threads 1] [--short]

``single``: batch top-k, as in ``train.py``. ``stack``: 135 coders, as in ``stack.py``. ``seeds``: a
stack of ten as the recipe trains them, entries hidden. ``large``: 4,096 latents, 2,000 units,
200,000 bins. ``window``: as in ``window.py``. ``recipe``: the default, whole, on planted sources
(asked for by name only: minutes on a CPU; needs xarray).

Needs torch, numpy, scipy, safetensors and lazy_loader; ``nwbsparse`` is taken from ``src/`` beside
this folder where it is not installed. ``ms`` is wall time between the first look at validation bins
and the last, divided by the updates between; ``whole_s`` is the call with preparation and
thresholds. CPUs train fewer updates. A measurement that fails says why, and the others go on.
"""

import argparse
import importlib.util
import json
import sys
import time
import traceback
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LARGE = (200_000, 2_000, 4_096, 64)  # bins, units, latents, k
SEEDS = (30_000, 100, 256, 3)  # the same of the ten seeds
DIMS = (8, 64)


def stand_in():
    """Make nwbsparse importable, where there are no types to annotate with."""
    if importlib.util.find_spec("nwbsparse") is None:
        sys.path.insert(0, str(HERE.parent / "src"))
    if importlib.util.find_spec("jaxtyping") is None:

        class Annotation:
            def __class_getitem__(cls, item):
                return item[0] if isinstance(item, tuple) else item

        module = types.ModuleType("jaxtyping")
        module.__getattr__ = lambda _name: Annotation
        sys.modules["jaxtyping"] = module


def trained(data, configs, *, checks, updates=None):
    """What a stack takes per update, and what it reached."""
    import torch

    from nwbsparse.training.bins import windows_of
    from nwbsparse.training.memory import needed_bytes
    from nwbsparse.training.prepare import new_coders
    from nwbsparse.training.train import train

    device = configs[0].device
    seen = []
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    coders = new_coders(data, configs, updates=updates)
    made = train(
        coders, data, callbacks=[lambda now: seen.append((now.update, time.perf_counter()))],
        checks=checks,
    )  # fmt: skip
    whole = time.perf_counter() - began
    (first, since), (last, until) = seen[0], seen[-1]
    found = {
        "ms": round((until - since) / (last - first) * 1e3, 3), "updates": last,
        "whole_s": round(whole, 2), "r2": round(made[0].record.history[-1]["r2"], 4),
        "dead": round(made[0].record.history[-1]["dead_fraction"], 4),
    }  # fmt: skip
    if device == "cuda":
        windows = windows_of(coders[0].record, data)
        found["peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 3)
        found["estimate_gb"] = round(needed_bytes(coders[0], windows, models=len(coders)) / 1e9, 3)
    return found


def plain(device, **options):
    from nwbsparse.options.config import Config
    from nwbsparse.options.presets import preset

    return Config(**preset("plain"), patience=10_000, device=device, **options)


def single(device, short):
    from made_bins import poisson_bins
    from train import BATCH, BINS, LATENTS, UNITS, K

    data = poisson_bins(40_000 if short else BINS, UNITS)
    size = {"n_latents": LATENTS, "k": K, "batch_size": BATCH}
    trained(poisson_bins(8 * BATCH, UNITS), [plain(device, **size, max_epochs=2)], checks=2)
    epochs = 2 if short or device == "cpu" else 17
    for rule in ("batch_topk", "topk"):
        config = plain(device, **size, sparsifier=rule, max_epochs=epochs)
        yield f"single, {rule}", trained(data, [config], checks=30 * epochs // 17 + 2)
    if device == "cuda":
        config = plain(device, **size, precision="bfloat16", max_epochs=epochs)
        yield "single, batch_topk, bfloat16", trained(data, [config], checks=32)


def stack(device, short):
    from stack import EPOCHS, embedding, ours

    for n_dims in DIMS:
        rows, held_out, _ = embedding(n_dims)
        epochs = (2 if short else 25) if device == "cuda" else (1 if short else 8)
        _, wall, r2 = ours(rows, held_out, epochs=epochs, device=device)
        updates = EPOCHS * len(rows) / 256
        yield f"135 coders, {n_dims} dims", {
            "ms": round(wall / updates * 1e3, 3), "whole_s": round(wall, 1), "r2": round(r2, 4),
            "from_epochs": epochs,
        }  # fmt: skip


def seeds(device, short):
    from made_bins import poisson_bins

    n_bins, n_units, n_latents, k = SEEDS
    base = plain(device, n_latents=n_latents, k=k, batch_size=512)
    base = base.replace(mask=0.25, sign="nonnegative", normalisation="scaled")
    configs = [base.replace(seed=seed) for seed in range(10)]
    data = poisson_bins(n_bins, n_units)
    trained(data, configs, checks=2, updates=52)
    yield (
        "ten seeds, entries hidden",
        trained(data, configs, checks=4, updates=100 if short else 600),
    )


def large(device, short):
    from made_bins import bernoulli_bins

    n_bins, n_units, n_latents, k = LARGE
    if short or device == "cpu":
        n_bins //= 10
    data = bernoulli_bins(n_bins, n_units)
    config = plain(device, n_latents=n_latents, k=k, batch_size=1024, max_epochs=1)
    if device == "cuda":
        config = config.replace(max_epochs=2)
    yield "large", trained(data, [config], checks=4)
    if device == "cuda":
        yield "large, bfloat16", trained(data, [config.replace(precision="bfloat16")], checks=4)


def window(device, short):
    from window import UPDATES, ours

    found = ours(127 if short or device == "cpu" else UPDATES, device, threads=1)
    yield "window model", {"ms": round(found["wall_s"] / UPDATES * 1e3, 3), **found}


def recipe(device, short):
    from nwbsparse.options.config import Config
    from nwbsparse.training.fit import fit

    began = time.perf_counter()
    config = Config(bin_width=0.02, device=device)
    if short:
        config = config.replace(n_latents=64, k=3, smoothing=0.0)
    coder = fit(planted_sources(), config)
    options = coder.record.options
    yield "recipe", {
        "whole_s": round(time.perf_counter() - began, 1), "latents": coder.n_latents,
        "chosen": [options.smoothing, options.n_latents, options.k],
    }  # fmt: skip


def planted_sources():
    """Superposed sources as a binned, split dataset: 30,000 bins of 100 units."""
    import xarray as xr

    from nwbsparse.binning.split import split
    from nwbsparse.simulate.superposition import simulate_superposition

    counts = simulate_superposition(seed=0, n_bins=30_000).counts
    n_bins, n_units = counts.shape
    return split(
        xr.Dataset(
            {"counts": (("time", "unit"), counts)},
            coords={
                "time": (np.arange(n_bins) + 0.5) * 0.02,
                "segment": ("time", np.zeros(n_bins, np.int32)),
                "unit": np.arange(n_units),
                "unit_id": ("unit", np.arange(n_units)),
            },
            attrs={"bin_width": 0.02},
        )
    )


ITEMS = {one.__name__: one for one in (single, stack, seeds, large, window, recipe)}


def main():
    stand_in()
    import machine
    import torch

    here = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(ITEMS), default=list(ITEMS)[:-1])
    parser.add_argument("--devices", nargs="+", choices=["cuda", "cpu"], default=here)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--short", action="store_true", help="seconds each, for a look")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(machine.words(), f"{given.threads} threads, torch {torch.__version__}", flush=True)
    if "cuda" in given.devices:
        print(torch.cuda.get_device_name(), flush=True)
    found = {}
    for name in given.only:
        for device in given.devices:
            try:
                for said, numbers in ITEMS[name](device, given.short):
                    found.setdefault(said, {})[device] = numbers
                    print(f"{said}, {device}:", json.dumps(numbers), flush=True)
            except Exception as error:  # the others are worth having all the same
                traceback.print_exc(limit=-3)
                print(f"{name}, {device}: FAILED, {error!r}"[:400], flush=True)
    rows = []
    for said, of in found.items():
        unit = "ms" if all("ms" in one for one in of.values()) else "whole_s"
        times = [of.get(device, {}).get(unit) for device in ("cuda", "cpu")]
        ratio = f"{times[1] / times[0]:.1f}" if None not in times else ""
        rows.append((said, unit, *("" if one is None else one for one in times), ratio))
    machine.table(("", "", "GPU", "CPU", "ratio"), rows)
    print(machine.load_words())


if __name__ == "__main__":
    main()
