"""Sources that overlap in more units than there are: latents get the events of their own source."""

import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from make.configs import plain_config
from make.sessions import make_binned
from nwbsparse import names
from nwbsparse.analysis.association.associate import associate
from nwbsparse.analysis.association.design import detrended, make_design
from nwbsparse.analysis.behaviour.claims import claims
from nwbsparse.analysis.behaviour.comparisons import make_scope
from nwbsparse.analysis.explain import explain
from nwbsparse.analysis.statistics.components import principal_components
from nwbsparse.simulate.superposition import simulate_superposition
from nwbsparse.training.fit import fit

SIZE = {"n_bins": 12_000, "bin_width": 0.1, "n_units": 24, "n_sources": 32, "units_per_source": 4}


@pytest.fixture(scope="module")
def explained():
    made = simulate_superposition(**SIZE, event_probability=0.03, gain=4.0)
    data = make_binned(made.counts, bin_width=made.bin_width)
    about = {names.ROLE: names.ROLE_EVENT, names.KIND: names.CATEGORICAL, "unit": ""}
    sources = {
        f"source_{at}": (names.TIME, (events > 0).astype(np.int32), about)
        for at, events in enumerate(made.events.T)
    }
    data = data.assign(sources)
    coder = fit(data, plain_config(n_latents=64, k=1, batch_size=256, max_epochs=40))
    return made, coder, explain(coder, data), data


def test_latents_that_recover_a_source_follow_its_events(explained):
    made, coder, attribution, _ = explained
    rows = (coder.dictionary.detach().double() * coder.scale.double()).numpy()
    cosine = made.dictionary @ (rows / np.linalg.norm(rows, axis=1, keepdims=True)).T
    source, latent = linear_sum_assignment(-cosine)
    matched = cosine[source, latent] > 0.9
    assert matched.sum() >= 16
    status = attribution["association_status"].values[latent[matched]]
    follows = attribution["best_variable"].values[latent[matched]]
    own = np.array([f"source_{at}" for at in source[matched]])
    assert (status == "found").mean() >= 0.8
    assert (follows[status == "found"] == own[status == "found"]).mean() >= 0.9
    effect = attribution["auroc"].values[latent[matched]]
    condition = list(attribution["condition_variable"].values)
    places = [
        at
        for at, name in enumerate(own)
        if name in condition and np.isfinite(effect[at, condition.index(name)])
    ]
    assert len(places) >= 12
    assert np.median([effect[at, condition.index(own[at])] for at in places]) > 0.8


def sources_followed(table, data):
    """How many planted sources channels are found to follow, by the test that latents pass."""
    design = make_design(data, n_draws=2000, seed=0)
    activity = detrended(table, design)
    tested = make_scope(data).tested
    found = [associate(activity, one, design, number=at) for at, one in enumerate(tested)]
    made = claims(found, activity.n_channels, 0.05)
    return len(set(made.choice[made.status == "found"]))


def test_the_latents_say_more_than_units_or_components(explained):
    _, coder, attribution, data = explained
    summary = json.loads(attribution.attrs["summary"])
    of_latents = len(summary["latents"]["by_variable"])
    assert of_latents > sources_followed(data["counts"].values, data)
    components = principal_components(data, most=coder.n_latents)
    assert of_latents > sources_followed(components, data)
