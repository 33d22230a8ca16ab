"""Whatever datasets a result holds, they come back from HDF5 and from Zarr as they were."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.results.results import open_results, write
from recordings import write_recording
from results.made import latents_of, made_results

NUMBERS = {
    "float64": st.floats(-1e30, 1e30) | st.just(np.nan),
    "float32": st.floats(-(2.0**90), 2.0**90, width=32) | st.just(np.nan),
    "int64": st.integers(-(2**60), 2**60),
    "int8": st.integers(-128, 127),
    "uint64": st.integers(0, 2**60),
    "bool": st.booleans(),
    "object": st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5
    ),
}
NAMES = st.text(st.sampled_from("abz_.é/: 0"), min_size=1, max_size=6).filter(str.strip)
DIMS = {"time": 7, "latent": 5, "frequency": 3, "lag": 2, "one": 1, "none": 0}
ATTRS = st.dictionaries(
    NAMES,
    st.one_of(st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=3), st.booleans(), st.none()),
    max_size=2,
)


@st.composite
def variables(draw, sizes):
    """name → (dims, values, attrs) of any type that a file can hold."""
    made = {}
    for name in draw(st.lists(NAMES, max_size=4, unique=True)):
        kind = draw(st.sampled_from(sorted(NUMBERS)))
        dims = draw(st.lists(st.sampled_from(sorted(sizes)), max_size=4, unique=True))
        values = draw(hnp.arrays(kind, [sizes[dim] for dim in dims], elements=NUMBERS[kind]))
        made[name] = (dims, values, draw(ATTRS))
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    source = write_recording(tmp_path_factory.mktemp("made") / "source.nwb")
    return made_results(source, n_bins=7, n_latents=5)


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Three units are reconstructed from a fourth."""
    source = write_recording(tmp_path_factory.mktemp("apart") / "source.nwb")
    return made_results(source, n_bins=7, n_latents=5, n_targets=3)


def identical(written, read):
    assert set(written.variables) == set(read.variables)
    assert dict(read.attrs) == dict(written.attrs)
    assert set(written.coords) == set(read.coords)
    for name, one in written.variables.items():
        other = read.variables[name]
        assert (other.dims, other.shape, other.dtype) == (one.dims, one.shape, one.dtype), name
        assert dict(other.attrs) == dict(one.attrs), name
        if one.dtype.kind == "f":
            np.testing.assert_allclose(other.values, one.values, rtol=1e-7, atol=1e-7, err_msg=name)
        else:
            assert list(other.values.ravel()) == list(one.values.ravel()), name


def with_more(dataset, more, attrs):
    taken = {*dataset.variables, *dataset.dims}
    free = {key: one for key, one in more.items() if key not in taken}
    return dataset.assign(free).assign_attrs(attrs)


@pytest.mark.parametrize("mode", ["derived", "zarr"])
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.generate],  # an example takes a second: failures are said as they are found
)
@given(data=st.data())
def test_any_datasets_come_back(made, apart, tmp_path_factory, mode, data):
    made = apart if data.draw(st.booleans()) else made
    shape = (7, 5)
    activation = data.draw(
        hnp.arrays(np.float32, shape, elements=st.floats(0, 1e10, width=32), fill=st.just(0))
    )
    attrs = data.draw(ATTRS)
    metrics = (
        made.metrics.isel(time=slice(0, 7)) if made.metrics.sizes["time"] > 7 else made.metrics
    )
    metrics = metrics.drop_vars(["l0", "bin_cosine", "spectrum"]).drop_dims("time")
    attribution = made.attribution.drop_vars("of_lags")
    results = replace(
        made,
        latents=latents_of(activation, made.coder).assign_attrs(attrs),
        metrics=with_more(metrics, data.draw(variables(DIMS | dict(metrics.sizes))), attrs),
        attribution=with_more(
            attribution, data.draw(variables(DIMS | dict(attribution.sizes))), attrs
        ),
    )
    path = tmp_path_factory.mktemp("any") / ("a.nwb" if mode == "derived" else "a.nwb.zarr")
    opened = open_results(write(results, path, mode))
    for part in ("latents", "metrics", "attribution"):
        identical(getattr(results, part), getattr(opened, part))
    assert opened.coder.id == results.coder.id


@pytest.mark.parametrize("n_latents", [8, 300])
@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("mode", ["derived", "zarr", "link"])
def test_activations_come_back_however_they_are_stored(tmp_path, mode, dense, n_latents):
    source = write_recording(tmp_path / "source.nwb")
    results = made_results(source, n_bins=60, n_latents=n_latents, k=3)
    path = tmp_path / ("a.nwb.zarr" if mode == "zarr" else "a.nwb")
    opened = open_results(write(results, path, mode, dense=dense))
    for part in ("latents", "metrics", "attribution"):
        identical(getattr(results, part), getattr(opened, part))


def test_what_no_file_can_hold_is_refused_before_anything_is_written(made, tmp_path):
    more = made.metrics.assign(phase=("unit", np.zeros(made.coder.n_units, dtype=complex)))
    with pytest.raises(BadInput, match="'phase' of the metrics is of type complex128"):
        write(replace(made, metrics=more), tmp_path / "a.nwb")
    text = xr.DataArray(np.array(["a\0b"] * 5, dtype=object), dims=names.LATENT)
    with pytest.raises(BadInput, match="NUL character"):
        write(replace(made, attribution=made.attribution.assign(x=text)), tmp_path / "a.nwb")
    assert not list(tmp_path.iterdir())
