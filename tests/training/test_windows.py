"""What a batch holds: whole windows of one segment and one part, gathered without a copy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from make.configs import plain_config
from make.sessions import make_binned, planted
from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.automatic import shaped
from nwbsparse.training.bins import CHECKED, windows_of
from nwbsparse.training.fit import fit
from nwbsparse.training.populations import ids_of_populations

N_UNITS = 5


def make_data(parts, segments=None, *, counts=None, valid=None):
    n = len(parts)
    if counts is None:
        counts = np.random.default_rng(n).integers(0, 200, (n, N_UNITS)).astype(np.uint8)
    data = xr.Dataset(
        {"counts": (("time", "unit"), counts)},
        coords={
            "time": np.arange(n) * 0.1,
            "segment": ("time", np.zeros(n, np.int32) if segments is None else segments),
            "split": ("time", np.asarray(parts, np.int8)),
            "unit_id": ("unit", [f"u{i}" for i in range(counts.shape[1])]),
        },
        attrs={names.BIN_WIDTH: 0.1},
    )
    return data if valid is None else data.assign(valid=(("time", "unit"), valid))


def made(data, *, target=None, **options):
    """A coder of random scaling for these data, and their windows."""
    config = shaped(plain_config(n_latents=8, k=2, k_aux=1, **options))
    inputs, targets = ids_of_populations(data, config, target)
    record = CoderRecord(config=config, unit_ids=inputs, target_ids=targets, bin_width=0.1)
    coder = SparseCoder(record)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, buffer in coder.named_buffers():
            if name != "threshold":
                buffer.copy_(torch.rand(buffer.shape, generator=rng) + 0.5)
    return coder, windows_of(record, data, target=target)


SHAPES = st.one_of(
    st.fixed_dictionaries({"lag": st.integers(-4, 4)}),
    st.fixed_dictionaries(
        {
            "lag": st.integers(-4, 4),
            "encoder": st.sampled_from(["window", "transformer"]),
            "window": st.integers(2, 5),
            "decoded": st.sampled_from(["all", "last", None]),
        }
    ),
    st.fixed_dictionaries(
        {
            "lag": st.integers(-4, 4),
            "decoder": st.just("convolution"),
            "window": st.integers(2, 5),
        }
    ),
)


def runs(draw, values, n):
    """Values in runs of 1-12 bins."""
    made = []
    while len(made) < n:
        made += [draw(st.sampled_from(values))] * draw(st.integers(1, 12))
    return np.array(made[:n])


@st.composite
def recordings(draw):
    n = draw(st.integers(1, 60))
    parts = runs(draw, [names.TRAIN, names.TRAIN, names.VALIDATION, names.TEST, names.GAP], n)
    segments = np.cumsum(np.diff(runs(draw, [0, 1], n), prepend=0) != 0)
    return parts, segments.astype(np.int32)


def reach(options):
    """(offsets seen, offsets reconstructed) of a window named by the bin of its activation."""
    seen = list(range(1 - options.get("window", 1), 1))
    several = options.get("encoder") is not None and options.get("decoded") != "last"
    return seen, [offset + options["lag"] for offset in (seen if several else [0])]


def slowly(parts, segments, options, part):
    """The bins whose window is whole, by walking over every bin of every window."""
    seen, decoded = reach(options)
    found = []
    for own in range(len(parts)):
        bins = [own + offset for offset in (*seen, *decoded)]
        if parts[own] != part or min(bins) < 0 or max(bins) >= len(parts):
            continue
        if all(segments[one] == segments[own] and parts[one] in (part, names.GAP) for one in bins):
            found.append(own)
    return found


@settings(max_examples=150, deadline=None)
@given(recording=recordings(), options=SHAPES)
def test_windows_cross_neither_segments_nor_parts(recording, options):
    parts, segments = recording
    _, windows = made(make_data(parts, segments), **options)
    expected = slowly(parts, segments, options, names.TRAIN)
    assert windows.train.tolist() == expected
    expected = slowly(parts, segments, options, names.VALIDATION)
    assert windows.validation.tolist() == expected


@settings(max_examples=60, deadline=None)
@given(options=SHAPES, seed=st.integers(0, 99), observed=st.booleans(), named=st.booleans())
def test_a_batch_holds_what_a_slow_gather_finds(options, seed, observed, named):
    rng = np.random.default_rng(seed)
    valid = rng.random((40, N_UNITS)) < 0.8 if observed else None
    data = make_data(np.zeros(40), valid=valid)
    if named:
        options = options | {"target_units": "u3,u1"}
    coder, windows = made(data, **options)
    index = torch.from_numpy(rng.permutation(windows.train.numpy())[:7])
    batch = windows.batch(coder, index)
    inputs, targets = ([0, 2, 4], [1, 3]) if named else (range(N_UNITS), range(N_UNITS))
    offset, scale = coder.offset.numpy(), coder.scale.numpy()
    wanted, wanted_scale = offset, scale
    if named:
        wanted, wanted_scale = coder.target_offset.numpy(), coder.target_scale.numpy()
    seen, decoded = reach(options)
    counts = data["counts"].values
    for row, own in enumerate(index.tolist()):
        for lag, shift in enumerate(seen):
            for place, unit in enumerate(inputs):
                expected = (counts[own + shift, unit] - offset[place]) / scale[place]
                if observed and not valid[own + shift, unit]:
                    expected = coder.pre_bias[place]
                assert float(batch.y[row, lag, place]) == pytest.approx(float(expected), rel=1e-5)
        shown = [(shift, unit) for shift in decoded for unit in range(len(targets))]
        assert batch.target.shape == (7, len(shown))
        for at, (shift, place) in enumerate(shown):
            unit = list(targets)[place]
            there = valid is None or valid[own + shift, unit]
            if batch.valid is not None:
                assert bool(batch.valid[row, at]) == there
            if there:  # elsewhere the target counts for nothing
                expected = (counts[own + shift, unit] - wanted[place]) / wanted_scale[place]
                assert float(batch.target[row, at]) == pytest.approx(float(expected), rel=1e-5)
    assert (batch.valid is not None) == observed


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float32])
def test_counts_stay_as_they_are_stored(dtype):
    counts = np.random.default_rng(0).integers(0, 9, (1000, N_UNITS)).astype(dtype)
    parts = np.zeros(1000)
    parts[:100] = names.VALIDATION
    coder, windows = made(make_data(parts, counts=counts), encoder="window", window=4)
    stored = 4 if dtype == np.uint16 else counts.itemsize  # torch has no arithmetic on uint16
    assert windows.counts.element_size() == stored
    assert windows.target_counts is windows.counts
    held = windows.counts.nbytes + windows.train.nbytes + windows.validation.nbytes
    assert windows.n_bytes == held
    index = windows.train[:3]
    given = counts.astype(np.float32)
    expected = given[index.numpy()[:, None] + np.arange(-3, 1)]
    raw = windows.batch(coder, index).y * coder.scale + coder.offset
    np.testing.assert_allclose(raw.numpy(), expected, rtol=1e-4, atol=1e-4)


def test_writable_counts_are_used_where_they_are():
    data = make_data(np.zeros(50))
    _, windows = made(data, lag=2)
    assert windows.counts.numpy().base is not None
    assert np.shares_memory(windows.counts.numpy(), data["counts"].values)
    moved = windows.to(torch.device("cpu"))
    assert moved.counts.data_ptr() == windows.counts.data_ptr()
    assert moved.target_counts is moved.counts


def test_a_check_looks_at_all_validation_windows_or_an_even_choice_of_them():
    parts = np.full(40_000, names.VALIDATION)
    parts[:10] = names.TRAIN
    _, windows = made(make_data(parts))
    some = windows.checked().numpy()
    assert len(some) == CHECKED == len(set(some))
    assert (some[0], some[-1]) == (10, 39_999)
    steps = np.diff(some)
    assert steps.min() >= 1 and steps.max() - steps.min() <= 1
    few = replace(windows, validation=windows.validation[:100])
    assert torch.equal(few.checked(), few.validation)


def test_incomplete_windows_are_not_learned_from():
    # the first bins of each segment hold what no whole window ends in
    counts = planted(600)[:, :N_UNITS]
    data = make_binned(counts, blocks=3)
    segments = np.repeat(np.arange(20, dtype=np.int32), 30)
    data = data.assign_coords(segment=("time", segments))
    options = {"encoder": "window", "window": 25, "n_latents": 16, "k": 2, "max_epochs": 2}
    parts = data["split"].values
    n_train = len(slowly(parts, segments, options | {"lag": 0}, names.TRAIN))
    assert 0 < n_train < (parts == names.TRAIN).sum() / 3
    assert fit(data, plain_config(**options, batch_size=n_train)).config.batch_size == n_train
    with pytest.raises(BadInput, match=f"batch {n_train + 1} > {n_train}"):
        fit(data, plain_config(**options, batch_size=n_train + 1))


def test_a_window_longer_than_every_segment_is_refused():
    data = make_binned(planted(600))
    data = data.assign_coords(segment=("time", np.arange(600, dtype=np.int32) // 5))
    with pytest.raises(BadInput, match="window"):
        fit(data, plain_config(encoder="window", window=6, n_latents=16, k=2))


def test_a_lag_longer_than_the_recording_is_refused():
    with pytest.raises(BadInput, match="lag"):
        fit(make_binned(planted(600)), plain_config(lag=-700, n_latents=16, k=2))
