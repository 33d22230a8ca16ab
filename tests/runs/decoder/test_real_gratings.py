"""Direction and orientation from mice that saw gratings: above the null in each of them."""

import os
from pathlib import Path

import pytest

from nwbsparse import names
from nwbsparse.options.decoder import DecoderOptions
from nwbsparse.runs.decoder.evaluate_decoder import evaluate_decoder
from nwbsparse.runs.decoder.fit_decoder import fit_decoder

FOLDER = Path(os.environ.get("NWBSPARSE_DATA", "")) / "mouse-v1-gratings"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("NWBSPARSE_DATA") or not FOLDER.is_dir(),
        reason="needs mouse-v1-gratings in the folder NWBSPARSE_DATA",
    ),
]
LEAST = {"direction": 0.3, "orientation": 0.55}
"""Of all trials together."""


def test_both_are_decoded_above_the_null_in_every_mouse(tmp_path):
    files = sorted(FOLDER.glob("*.nwb"))
    options = DecoderOptions(targets="direction,orientation", bin_width=0.25, device="cpu")
    fit_decoder(files, tmp_path / "decoder", options)
    found = evaluate_decoder(tmp_path / "decoder", folds=5, beside=False, n_permutations=999)
    own = found.sel({names.DECODER: "network"})
    assert (own[names.P] < 0.05).all(), own[names.P].to_pandas()
    for head, least in LEAST.items():
        assert float(own[names.SCORE].sel(session="all", head=head)) > least
