"""A small reproduction from beginning to end: sources, ledger, table, page; stopped and gone on with."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

import nwbsparse as ns
from make.naik_animals import write_animals
from nwbsparse import names
from nwbsparse.analysis.decoding import decode
from nwbsparse.errors import BadInput
from nwbsparse.runs.papers import naik2025_coders as coders
from nwbsparse.runs.papers import naik2025_embeddings as embeddings
from nwbsparse.runs.papers.naik2025_settings import Naik2025
from nwbsparse.runs.papers.reproduce_paper import reproduce_paper

pytestmark = [pytest.mark.fits, pytest.mark.files]
QUICK = Naik2025(dims=(4,), seeds=1, max_epochs=1)
FILES = ("naik2025.nc", "naik2025.md", "naik2025.html", "figure-2.svg")


@pytest.fixture(scope="module", autouse=True)
def a_thin_grid():
    """The first and last coder of every architecture and size, and one penalty of decoders: what is
    tested is the same of all of them.
    """
    whole = coders.grid_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coders, "grid_of", lambda *of: whole(*of)[:: max(len(whole(*of)) - 1, 1)])
        patch.setattr(decode, "ALPHAS", (100.0,))
        patch.setattr(decode, "STRENGTHS", (1.0,))
        yield


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """Stored embeddings of two animals, and the recording of the first."""
    return write_animals(tmp_path_factory.mktemp("animals"), names=("sim", "other"))


@pytest.fixture(scope="module")
def done(animals, tmp_path_factory):
    out = tmp_path_factory.mktemp("done")
    lines: list[str] = []
    sources = [animals / "rat-sim-25ms.npz", animals]
    return reproduce_paper("naik2025", sources, out, QUICK, notify=lines.append), out, lines


def rows(fits, **wanted):
    frame = fits.to_dataframe()
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    return frame


def test_a_recording_and_stored_embeddings_of_one_animal_are_joined_and_said(done):
    reproduced, _, lines = done
    assert lines[0] == "sim: stored embeddings, with units and behaviour of its recording"
    assert any("other: 700 bins" in one and "reconstruction only" in one for one in lines)
    assert set(reproduced.fits["animal"].values) == {"other", "sim"}


def test_the_table_has_every_fit_and_honest_columns_beside_those_in_sample(done):
    reproduced, out, _ = done
    kept = xr.load_dataset(out / "naik2025.nc", engine="h5netcdf")
    assert kept.sizes["fit"] == reproduced.fits.sizes["fit"]
    sweep = rows(kept, animal="sim", part="sweep", control="")
    assert set(sweep["method"]) == {"standard", "topk", "exponential", "jumprelu"}
    assert set(sweep["expansion"]) == {2, 4, 8}
    assert (
        sweep[["r2", "train_r2", "neuron_paper", "behaviour_paper", "nonzero_ratio"]]
        .notna()
        .all(axis=None)
    )
    # k is clamped where there are not so many latents, and it is marked
    clamped = sweep[(sweep["k"] == 32) & (sweep["n_latents"] == 8)]
    assert len(clamped) and (clamped["k_used"] == 8).all()
    analysed = rows(kept, animal="sim", part="analysis")
    assert set(analysed["control"]) == {"", "untrained", "shuffled"}
    assert (
        analysed[["position_r2", "direction_accuracy", "train_position_r2"]].notna().all(axis=None)
    )
    bare = rows(kept, animal="other")
    assert bare[["neuron_paper", "position_r2"]].isna().all(axis=None)
    assert rows(kept, animal="other", part="analysis")["r2"].notna().all()


def test_baselines_are_the_counts_and_counts_over_20_bins(done):
    reproduced, _, _ = done
    found = rows(reproduced.fits, part="baseline")
    assert set(found["method"]) == {"counts", "smoothed counts"}
    assert found[found["dims"].isna()]["position_r2"].notna().all()
    assert found[found["dims"] == 4]["r2"].notna().all(), "the embedding, by ridge from them"


def test_the_page_has_claims_figures_tables_and_limits(done):
    _, out, _ = done
    text, html = ((out / name).read_text("utf-8") for name in ("naik2025.md", "naik2025.html"))
    for title in ("The paper's claims", "Figures", "Before and after", "Limits"):
        assert f"## {title}" in text
    assert text.count("### ") == 13
    for number in range(1, 7):
        assert (
            f"![Figure {number}." in text or number == 3
        )  # of one size per animal: two embeddings
        assert (out / f"figure-{number}.svg").is_file()
    assert html.count('class="claim"') == 13 and "<script" not in html
    assert html.count("data:image/svg+xml") == 6
    assert "Not as in the paper: dims 4 (the paper: 8, 16, 32, 64); max_epochs 1" in text
    assert "cicero, gatsby" in text


def test_nothing_of_the_machine_or_the_time_is_in_the_files(done, animals):
    _, out, _ = done
    for name in FILES:
        content = (out / name).read_bytes()
        assert str(animals).encode() not in content and str(out).encode() not in content
        assert not re.search(rb"20\d\d-\d\d-\d\dT", content)


@pytest.mark.slow
def test_stopped_at_any_piece_and_resumed_it_is_the_same_to_the_byte(animals, done, tmp_path):
    """The kind of fault: a result that depends on whether and where the work was interrupted."""
    first, _, _ = done
    sources = [animals / "other"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    reproduce_paper("naik2025", sources, whole, QUICK)

    for stop in (1, 6, 13):

        def interrupted(_stage, at, _total, /, stop=stop, **_):
            if at == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            reproduce_paper("naik2025", sources, parts, QUICK, progress=interrupted)
        assert not (parts / "naik2025.nc").exists()
    reproduce_paper("naik2025", sources, parts, QUICK)
    for name in FILES:
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name
    # nor does it depend on which other animals there are
    alone = xr.load_dataset(whole / "naik2025.nc", engine="h5netcdf")
    both = first.fits.isel(fit=np.flatnonzero(first.fits["animal"].values == "other"))
    np.testing.assert_array_equal(alone["r2"].values, both["r2"].values)


def test_what_is_in_the_ledger_is_not_done_again(animals, done, monkeypatch):
    _, out, _ = done
    monkeypatch.setattr(coders, "fit_many", lambda *_: pytest.fail("fitted again"))
    before = {name: (out / name).read_bytes() for name in FILES}
    reproduce_paper("naik2025", [animals / "rat-sim-25ms.npz", animals], out, QUICK)
    assert {name: (out / name).read_bytes() for name in FILES} == before


def test_a_fit_that_fails_is_a_row_with_its_message(animals, tmp_path, monkeypatch):
    whole = coders.sweep_rows

    def sometimes(animal, embedding, family, **more):
        if family == "jumprelu":
            raise BadInput("no such thing")
        return whole(animal, embedding, family, **more)

    monkeypatch.setattr(coders, "sweep_rows", sometimes)
    made = reproduce_paper("naik2025", [animals / "other"], tmp_path / "out", QUICK)
    failed = rows(made.fits, method="jumprelu")
    assert set(failed["error"]) == {"no such thing"} and len(failed) == 3
    assert "3 of" in (tmp_path / "out/naik2025.md").read_text("utf-8")


@pytest.mark.slow
def test_a_recording_alone_has_its_embeddings_made_16_and_those_of_shuffled_activity(
    animals, tmp_path, monkeypatch
):
    made: list[dict] = []

    def linear(animal, setting, iterations, direction_as):
        made.append(setting | {"iterations": iterations})
        assert direction_as == "continuous"
        rng = np.random.default_rng(len(json.dumps(setting)))
        counts = animal.binned[names.COUNTS].values.astype(np.float32)
        return (counts @ rng.standard_normal((counts.shape[1], setting["dims"]))).astype(np.float32)

    monkeypatch.setattr(embeddings, "embedding_of", linear)
    monkeypatch.setattr("nwbsparse.runs.papers.naik2025.check_available", lambda: None)
    asked = Naik2025(dims=(4,), seeds=1, max_epochs=1, iterations=3)
    done = reproduce_paper("naik2025", [animals / "rat-sim-25ms.npz"], tmp_path / "out", asked)
    assert len(made) == 4 + 1
    assert {one["control"] for one in made} == {"", "shuffled_neural"}
    found = rows(done.fits, part="embedding", control="")
    assert set(zip(found["hidden_units"], found["cebra_rate"], strict=True)) == {
        (32, 1e-3), (32, 5e-3), (64, 1e-3), (64, 5e-3)
    }  # fmt: skip
    by = {one.claim.name: one.verdict for one in done.answers}
    assert by["settings"] != "not run here"
    assert by["topk_large"] == by["neuron_dims"] == "not run here"


@pytest.mark.slow
def test_coders_and_latents_are_kept_on_request_under_the_id_that_the_table_names(
    animals, tmp_path
):
    asked = Naik2025(dims=(4,), seeds=1, max_epochs=1, keep=("models", "latents"))
    made = reproduce_paper("naik2025", [animals / "other"], tmp_path / "out", asked)
    kept = tmp_path / "out/ledger/kept/other-4"
    trained = rows(made.fits, control="")
    trained = trained[trained["part"].isin(["sweep", "analysis"])]
    ids = set(trained["model_id"])
    assert "" not in ids
    assert {one.name for one in (kept / "models").iterdir()} == ids
    assert {one.stem for one in (kept / "latents").iterdir()} == ids
    one = trained[trained["part"] == "analysis"].iloc[0]
    coder = ns.load(kept / "models" / one["model_id"])
    assert coder.n_latents == one["n_latents"] and coder.config.k == one["k_used"]
    latents = xr.load_dataset(kept / "latents" / f"{one['model_id']}.nc", engine="h5netcdf")
    assert latents.sizes["latent"] == one["n_latents"] and latents.sizes["time"] == 700
    table = np.load(tmp_path / "out/embeddings/other-4.npy")
    stored = [np.load(animals / f"other-4-{part}.npy") for part in ("train", "valid")]
    np.testing.assert_array_equal(table, np.concatenate(stored))
