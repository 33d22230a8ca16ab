"""Fit a small coder of every kind that can be exported and export it for both peers.

    .venv/bin/python benchmarks/oracles/make_exports.py FOLDER

runs in nwbsparse's own environment and writes ``FOLDER/<peer>/<kind>/``, each with what the peer's
loader reads and an ``arrays.npz`` (held-out bins and what the coder itself makes of them) for
``check_export.py``, which runs in the peer's environment on every one of them.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import xarray as xr

import nwbsparse
from nwbsparse import names
from nwbsparse.training.bins import windows_of

N_BINS, N_UNITS = 3000, 20
SMALL = {"n_latents": 48, "k": 4}
KINDS = {
    "batch_topk": SMALL,
    "topk": SMALL | {"sparsifier": "topk"},
    "standard": SMALL | {"sparsifier": "l1"},
    "standard_free_rows": SMALL | {"sparsifier": "l1", "rows": "free"},
    "jumprelu": SMALL | {"sparsifier": "jumprelu"},
    "gated": SMALL | {"sparsifier": "gated"},
    "independent": {"levels": ("12:1", "24:2", "48:4")},
    "nested": {"levels": ("12:4", "24:4", "48:4"), "nesting": "nested"},
    "window": SMALL | {"encoder": "window", "window": 3},
    # two different biases, neither of them zero
    "counts": SMALL | {"normalisation": "none"},
    "counts_gated": SMALL | {"normalisation": "none", "sparsifier": "gated"},
    "counts_jumprelu": SMALL | {"normalisation": "none", "sparsifier": "jumprelu"},
    "float64": SMALL | {"precision": "float64"},
}
EXPORTS = {
    "sae_lens": nwbsparse.export_saelens,
    "dictionary_learning": nwbsparse.export_dictionary_learning,
}


def recording():
    rng = np.random.default_rng(5)
    active = rng.random((N_BINS, 10)) < 0.15
    rates = 0.3 + active @ rng.exponential(1.0, (10, N_UNITS))
    parts = np.repeat([names.TRAIN, names.VALIDATION, names.TEST], N_BINS // 3)
    return xr.Dataset(
        {names.COUNTS: ((names.TIME, names.UNIT), rng.poisson(rates).astype(np.uint8))},
        coords={
            names.SPLIT: (names.TIME, parts),
            names.UNIT_ID: (names.UNIT, [f"u{unit}" for unit in range(N_UNITS)]),
        },
        attrs={names.BIN_WIDTH: 0.05},
    )


def arrays(coder, data):
    """The coder's own answers on the test bins, in the scaling that it sees."""
    test = torch.from_numpy(np.flatnonzero(data[names.SPLIT].values == names.TEST)[coder.window :])
    y = windows_of(coder.record, data).batch(coder, test).y
    with torch.no_grad():
        activation = coder.activate(coder.pre_activation(y))
        reconstruction = coder.decode(activation)
    given = {"input": y.flatten(1), "activation": activation, "reconstruction": reconstruction}
    return {name: tensor.numpy().astype(np.float32) for name, tensor in given.items()}


def main(folder):
    data = recording()
    for kind, options in KINDS.items():
        coder = nwbsparse.fit(data, nwbsparse.Config(max_epochs=20, **options))
        for peer, export in EXPORTS.items():
            to = Path(folder) / peer / kind
            export(coder, to)
            np.savez(to / "arrays.npz", **arrays(coder, data))
        print(kind)


if __name__ == "__main__":
    main(*sys.argv[1:])
