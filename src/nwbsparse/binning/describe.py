"""What a recording holds, in numbers: the content of ``nwbsparse inspect``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwbsparse import names
from nwbsparse.binning.clock import trace_step
from nwbsparse.binning.covariates import thaw
from nwbsparse.binning.events import label_counts
from nwbsparse.binning.observed import observed, suggest_bin_width
from nwbsparse.session import Session


def describe(session: Session) -> dict[str, Any]:
    """Units, behaviour, trials and a suggested bin width of a recording, as plain values.

    Rates are over the stretches in which the recording ran (``extent_from`` says how that is
    known). Ready for JSON; ``report`` is the full account of what was read and dropped.
    """
    stretches, extent_from = observed(session)
    seconds = float((stretches[:, 1] - stretches[:, 0]).sum())
    bin_width, per_bin = suggest_bin_width(session)
    n_spikes = session.units[names.N_SPIKES].values
    return {
        "source": str(session.source.path or session.source.uri),
        "uri": session.source.uri,
        "identifier": session.source.identifier,
        "session_id": session.source.session_id,
        "sha256": session.source.sha256,
        "nwb_version": session.source.nwb_version,
        "subject": dict(session.subject),
        "n_units": session.n_units,
        "n_units_firing": int((n_spikes > 0).sum()),
        "n_spikes": int(n_spikes.sum()),
        "start": float(stretches[0, 0]),
        "stop": float(stretches[-1, 1]),
        "seconds": seconds,
        "extent_from": extent_from,
        "mean_rate": float(n_spikes.sum() / max(seconds, 1e-9)),
        "suggested_bin_width": bin_width,
        "spikes_per_suggested_bin": per_bin,
        "traces": _traces(session),
        "events": {name: len(events.times) for name, events in session.events.items()},
        "event_labels": {name: label_counts(one) for name, one in session.events.items()},
        "unit_columns": [str(name) for name in session.units.data_vars],
        "series": [_series(series) for series in session.series.values()],
        "intervals": [_intervals(name, table) for name, table in session.intervals.items()],
        "report": session.report.to_dict(),
    }


def _traces(session: Session) -> dict[str, Any] | None:
    traces = session.traces
    if traces is None:
        return None
    return {
        "name": traces.name,
        "path": traces.path,
        "unit": traces.unit,
        "samples": len(traces.times),
        "step": trace_step(traces),
        "counts": traces.bin_width is not None,
    }


def _series(series: Any) -> dict[str, Any]:
    measured, line = thaw(series)
    good = np.all(np.isfinite(measured.data.reshape(len(measured.times), -1)), axis=1)
    return {
        "name": series.name,
        "kind": series.kind,
        "unit": series.unit,
        "path": series.path,
        "samples": len(series.times),
        "columns": 1 if series.data.ndim == 1 else int(series.data.shape[1]),
        "start": float(series.times[0]) if len(series.times) else None,
        "stop": float(series.times[-1]) if len(series.times) else None,
        "median_step": float(np.median(np.diff(series.times))) if len(series.times) > 1 else None,
        "measured_share": float(good.mean()) if len(good) else 0.0,
        "notes": list(line.reasons),
    }


def _intervals(name: str, table: Any) -> dict[str, Any]:
    return {
        "name": name,
        "rows": int(table.sizes[names.INTERVAL]),
        "columns": {
            str(key): str(column.attrs.get(names.KIND, ""))
            for key, column in table.data_vars.items()
            if key not in ("start_time", "stop_time")
        },
    }
