"""Training, sweep and window model on a GPU, where there is little more than torch.

    python benchmarks/gpu.py [--device cuda] [--short] [--dims 8 64]

Needs torch, numpy and safetensors; ``nwbsparse`` is taken from ``src/`` beside this folder where it
is not installed. Wall seconds. Peers that need no package run beside it: the DataLoader loop and
the loop without a DataLoader.
"""

import argparse
import importlib.util
import json
import sys
import types
from pathlib import Path

HERE = Path(__file__).parent


def stand_in():
    """Make nwbsparse importable: types that only annotate, TOML that is not written here."""
    if importlib.util.find_spec("nwbsparse") is None:
        sys.path.insert(0, str(HERE.parent / "src"))
    if importlib.util.find_spec("jaxtyping") is None:

        class Annotation:
            def __class_getitem__(cls, item):
                return item[0] if isinstance(item, tuple) else item

        module = types.ModuleType("jaxtyping")
        module.__getattr__ = lambda _name: Annotation
        sys.modules["jaxtyping"] = module
    if importlib.util.find_spec("tomli_w") is None:
        sys.modules["tomli_w"] = types.ModuleType("tomli_w")


def main():
    stand_in()
    import stack
    import torch
    import train
    import window

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dims", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--short", action="store_true", help="a minute's worth, extrapolated")
    given = parser.parse_args()
    device, short = given.device, given.short
    here = torch.cuda.get_device_name() if device.startswith("cuda") else "CPU"
    print(f"{here}, torch {torch.__version__}")

    for sparsifier in train.PEERS:
        n_bins = 40_000 if short else train.BINS
        found = train.ours(sparsifier, 2, 1 if short else 17, device=device, n_bins=n_bins)
        print(f"training, {sparsifier}:", json.dumps(found), flush=True)
    encoder, square = train.rates(2, device)
    print(f"float32 products, GFLOP/s: encoder's shape {encoder:.0f}, square {square:.0f}")

    for n_dims in given.dims:
        rows, held_out, real = stack.embedding(n_dims)
        epochs, measured = (2, 1) if short else (stack.EPOCHS, stack.MEASURED)
        mine = stack.ours(rows, held_out, epochs=epochs, device=device)
        lean, loader = (
            stack.loop(rows, n_dims, lean=lean, device=device, measured=measured)
            for lean in (True, False)
        )
        print(
            f"135 coders, {n_dims} dims, {'buddy' if real else 'random'}: fit_many {mine[1]:.1f} s, "
            f"DataLoader loop {loader[1]:.0f} s ({loader[1] / mine[1]:.1f}×), index loop "
            f"{lean[1]:.0f} s ({lean[1] / mine[1]:.1f}×)",
            flush=True,
        )

    found = window.ours(127 if short else window.UPDATES, device)
    print("window model:", json.dumps(found))


if __name__ == "__main__":
    main()
