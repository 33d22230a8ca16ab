"""The activity of a site as a population like any other: one bin per trial bin, on the session's clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.analysis.network.site_trials import captured
from nwbsparse.binning.sessions.join import join_sessions
from nwbsparse.binning.trial_labels import labels_of
from nwbsparse.embedding.attach import with_embedding
from nwbsparse.errors import BadInput
from nwbsparse.options.config import Config
from nwbsparse.schema import check, with_step
from nwbsparse.splice.batches import SessionTrials
from nwbsparse.splice.transformer import PopulationTransformer

METHOD = "site"
"""``method`` of an embedding that is the activity of a site."""
SAME_TIME = 1e-6
"""Share of a bin by which bins of two trials that touch may overlap."""


_OF_TRIALS = (names.TABLE, names.WINDOW, names.NOTES, names.SESSION)


def site_dataset(
    model: PopulationTransformer,
    trials: Sequence[xr.Dataset],
    sessions: Sequence[SessionTrials],
    *,
    at: str,
) -> xr.Dataset:
    """What a layer of a decoder does in every bin of every trial, beside the recorded activity.

    A coder learns from it with :func:`site_config`: ``fit(site_dataset(…), site_config())``.

    Args:
        model: a trained decoder.
        trials: what :func:`nwbsparse.to_trials` gave for one or several sessions.
        sessions: the same as the decoder takes them, with their parts
            (:func:`nwbsparse.analysis.network.decoder_trials.decoder_trials`).
        at: name of a site: ``blocks.1``. One with a vector per trial (``pool``) gives one bin per trial, as
            long as the window.

    Returns:
        Binned dataset: ``embedding(time, dim)`` of the site, ``counts(time, unit)`` the activity that
        the decoder read (0 and not ``valid`` where NaN), ``split(time)`` the decoder's own parts (blank
        trials are of none), ``segment(time)`` and ``trial(time)`` the number of the trial, ``time`` the
        session's clock (s). Of several sessions as :func:`nwbsparse.join_sessions` puts them beside each
        other. Bins that an earlier trial covers already (overlapping windows) are left out.

    Raises:
        BadInput: the decoder has no such site or session.
    """
    if len(trials) != len(sessions) or not trials:
        raise BadInput(
            f"{len(trials)} sessions as trials and {len(sessions)} as tensors: give the same"
        )
    made, embedded = [], []
    for one, tensors in zip(trials, sessions, strict=True):
        activity = captured(model, [tensors], at=at, part=None).activity
        per_bin = activity.ndim == 3
        binned, kept = _binned(one if per_bin else _whole_trials(one), tensors)
        made.append(binned)
        embedded.append(activity.flatten(0, -2).numpy()[kept])
    joined = made[0] if len(made) == 1 else join_sessions(made)
    # the decoder was trained on the labels of these trials: only test trials can be explained by them
    return with_embedding(
        joined,
        np.concatenate(embedded),
        method=METHOD,
        parameters={"site": at},
        saw_behaviour="train",
    )


def site_config(
    *,
    n_latents: int = 64,
    k: int = 5,
    levels: Sequence[str] | None = None,
    seed: int = 0,
    max_epochs: int = 60,
) -> Config:
    """The options of a coder at a site: trained on all entries, batch top-k, with levels.

    Args:
        n_latents: how many.
        k: active ones per bin in the mean.
        levels: as of :class:`nwbsparse.Config`; left open: a quarter, a half and all of the latents.
        seed: of the coder.
        max_epochs: passes over the bins at most.
    """
    if levels is None:
        sizes = [(n_latents // 4, max(1, k // 2)), (n_latents // 2, max(1, round(0.8 * k)))]
        levels = [f"{n}:{own}:1" for n, own in [*sizes, (n_latents, k)] if n >= own]
    return Config(
        reads="embedding", choose="none", mask=0.0, sparsifier="batch_topk", n_latents=n_latents, k=k,
        levels=tuple(levels), seeds=1, replicates=0, seed=seed, max_epochs=max_epochs,
    )  # fmt: skip


def _binned(one: xr.Dataset, tensors: SessionTrials) -> tuple[xr.Dataset, np.ndarray]:
    """One session bin by bin, and which bins of (trial · time) these are."""
    n_trials, n_bins, n_units = one[names.ACTIVITY].shape
    start = one[names.START].values
    time = (start[:, None] + one[names.TIME].values[None]).ravel()
    order = np.argsort(np.repeat(start, n_bins), kind="stable")
    kept = order[_growing(time[order], float(one.attrs[names.BIN_WIDTH]))]
    rows = one[names.ACTIVITY].values.reshape(-1, n_units)[kept]
    there = np.isfinite(rows)
    trial = np.repeat(np.arange(n_trials), n_bins)[kept]
    columns = (names.TIME, names.UNIT)
    variables = {names.COUNTS: (columns, np.where(there, rows, np.float32(0)))}
    if not there.all():
        variables[names.VALID] = (columns, there)
    made = xr.Dataset(
        variables | _conditions(one, trial, kept % n_bins),
        coords={
            names.TIME: (names.TIME, time[kept], {names.UNITS_OF_MEASURE: "s"}),
            names.SEGMENT: (names.TIME, np.cumsum(np.diff(trial, prepend=trial[:1]) != 0)),
            names.SPLIT: (names.TIME, tensors.part.numpy()[trial]),
            **{str(key): coord for key, coord in one.coords.items() if coord.dims == (names.UNIT,)},
        },
        attrs={key: value for key, value in one.attrs.items() if key not in _OF_TRIALS},
    ).assign_attrs({names.SCHEMA: names.BINNED})
    return check(with_step(made, "site_dataset", {}, since=one), names.BINNED), kept


def _whole_trials(one: xr.Dataset) -> xr.Dataset:
    """The same trials with one bin each: the mean over the window."""
    mean = one.mean(names.TIME, skipna=True, keep_attrs=True)
    middle = [float(one[names.TIME].values.mean())]
    whole = mean[names.ACTIVITY].expand_dims({names.TIME: middle}, axis=1)
    width = one.sizes[names.TIME] * float(one.attrs[names.BIN_WIDTH])
    made = mean.assign({names.ACTIVITY: whole.astype(np.float32)})
    return made.assign_attrs(one.attrs | {names.BIN_WIDTH: width})


def _growing(time: np.ndarray, width: float) -> np.ndarray:
    """(time,) bool: bins that begin when all before have ended."""
    kept = np.zeros(len(time), dtype=bool)
    end = -np.inf
    for at, centre in enumerate(time):
        if centre - width / 2 >= end - SAME_TIME * width:
            kept[at], end = True, centre + width / 2
    return kept


def _conditions(one: xr.Dataset, trial: np.ndarray, at: np.ndarray) -> dict[str, xr.DataArray]:
    """Per bin the row of its trial and what is known of it, called as in a Binned dataset."""
    table = str(one.attrs[names.TABLE])
    of_table = {names.TABLE: table}
    interval = {names.ROLE: names.ROLE_INTERVAL, "n_overlapping_bins": 0}
    rows = one[names.ROW].values[trial].astype(np.int32)
    made = {table: xr.DataArray(rows, dims=names.TIME, attrs=interval)}
    for name in labels_of(one):
        label = one[name]
        said = of_table | {"column": name}
        if label.attrs[names.KIND] == names.CATEGORY:
            values = label.values[trial].astype(np.int32)
            said |= {
                names.ROLE: names.ROLE_CONDITION,
                names.KIND: names.CATEGORICAL,
                names.CATEGORIES: label.attrs[names.VALUES],
            }
        else:
            per_bin = names.TIME in label.dims
            values = label.values[trial, at] if per_bin else label.values[trial]
            values = values.astype(np.float32)
            said |= {names.ROLE: names.ROLE_COVARIATE, names.KIND: label.attrs[names.KIND]}
            if names.PERIOD in label.attrs:
                said[names.PERIOD] = label.attrs[names.PERIOD]
        made[f"{table}.{name}"] = xr.DataArray(values, dims=names.TIME, attrs=said)
    return made
