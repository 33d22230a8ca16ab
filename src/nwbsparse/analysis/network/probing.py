"""How many latents a linear decoder needs for a variable (k-sparse probing, Gurnee et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nwbsparse import names
from nwbsparse.analysis.network.groups import groups_of
from nwbsparse.analysis.network.selective import eta2_of, grouped, per_trial
from nwbsparse.analysis.network.site_channels import (
    SiteChannels,
    channels_of,
    components_of,
    raw_dims,
)
from nwbsparse.analysis.network.site_trials import captured
from nwbsparse.errors import BadInput, unknown
from nwbsparse.models.coder import SparseCoder
from nwbsparse.schema import own_version
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.transformer import PopulationTransformer

KS = (1, 2, 4, 8, 16)


def site_probing(
    model: PopulationTransformer,
    sessions: Sequence[SessionTrials],
    coder: SparseCoder | SiteChannels,
    *,
    at: str,
    heads: Sequence[str] | None = None,
    ks: Sequence[int] = KS,
    beside: Sequence[SiteChannels] = (),
    seed: int = 0,
) -> xr.Dataset:
    """How well a few latents of a site tell each variable, beside as many dims or components.

    The k channels of the largest η² on training trials go into a logistic regression (mean over the bins
    of a trial, z-scored, balanced weights), fitted on training trials and scored on test trials. Angles
    and numbers are cut into groups.

    Args:
        model: a trained decoder.
        sessions: its trials.
        coder: of the site.
        at: name of the site.
        heads: the variables; all when left open.
        ks: how many channels.
        beside: more channels, such as those of an untrained coder, besides ``raw dims`` and ``pca``.
        seed: of the regression.

    Returns:
        ``balanced_accuracy(representation, n_channels, head)`` on test trials, NaN where there are fewer
        channels; ``chance(head)``, one over the number of groups.

    Raises:
        BadInput: a k below 1, an unknown head, no such site, or no trials.
    """
    asked = list(model.heads) if heads is None else list(heads)
    for name in asked:
        if name not in model.heads:
            raise unknown(name, model.heads, what="head", of="the decoder")
    if not ks or min(ks) < 1:
        raise BadInput(f"ks={list(ks)}: the numbers of channels must be at least 1")
    train = captured(model, sessions, at=at, part=names.TRAIN)
    test = captured(model, sessions, at=at, part=names.TEST)
    groups = {name: groups_of(model.heads[name], train.target(name)) for name in asked}
    codes, wanted = grouped(groups, train), grouped(groups, test)
    described = [channels_of(coder), raw_dims(), components_of(train.activity), *beside]
    score = np.full((len(described), len(ks), len(asked)), np.nan)
    for row, one in enumerate(described):
        fitting, scored = per_trial(one, train), per_trial(one, test)
        order = np.argsort(-eta2_of(fitting, codes), axis=1, kind="stable")
        for place, k in enumerate(ks):
            for number, name in enumerate(asked):
                if k <= fitting.shape[1]:
                    few = order[number, :k]
                    score[row, place, number] = _told(
                        fitting[:, few], codes[name], scored[:, few], wanted[name], seed
                    )
    return xr.Dataset(
        {
            "balanced_accuracy": ((names.REPRESENTATION, names.N_CHANNELS, names.HEAD), score),
            "chance": (names.HEAD, [1 / len(np.unique(one[one >= 0])) for one in wanted.values()]),
        },
        coords={
            names.REPRESENTATION: np.array([one.name for one in described], dtype=object),
            names.N_CHANNELS: list(ks),
            names.HEAD: np.array(asked, dtype=object),
        },
        attrs={
            names.SCHEMA: names.SITE_PROBING, "site": at, "part": "test", "seed": seed,
            "version": own_version(),
        },
    )  # fmt: skip


def _told(
    fitting: np.ndarray, codes: np.ndarray, scored: np.ndarray, wanted: np.ndarray, seed: int
) -> float:
    """Balanced accuracy on trials that the regression has not seen."""
    there, asked = codes >= 0, wanted >= 0
    probe = make_pipeline(
        StandardScaler(),
        LogisticRegression(max_iter=500, tol=1e-3, class_weight="balanced", random_state=seed),
    )
    probe.fit(fitting[there], codes[there])
    return float(balanced_accuracy_score(wanted[asked], probe.predict(scored[asked])))
