"""report(): everything about one result on one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.files.whole import write_whole
from nwbsparse.options.toml import to_toml
from nwbsparse.results.results import Results, derived_name
from nwbsparse.schema import check, own_version
from nwbsparse.views.drawing import data_uri
from nwbsparse.views.figures import draw_all
from nwbsparse.views.report.activity import is_of_traces
from nwbsparse.views.report.cards import ROWS, candidates, ranked, rows
from nwbsparse.views.report.data_check import advice, findings_of, flags_whole, found_said
from nwbsparse.views.report.found import Found, found
from nwbsparse.views.report.in_time import IN_TIME, in_time
from nwbsparse.views.report.quality import held_out_said, quality
from nwbsparse.views.report.recording import dropped_said, parts, reading, subject_said, variables
from nwbsparse.views.report.top_of_page import top_of_page
from nwbsparse.views.report.unbroken import unbroken
from nwbsparse.views.report.unexplained import ComeBack, comes_back_said, unexplained
from nwbsparse.views.words import duration, width

TEMPLATE = "report.html.jinja"


def report(
    results: Results,
    binned: xr.Dataset,
    to: str | Path,
    *,
    figures: Sequence[str] | None = None,
) -> Path:
    """Write what was learned and how sure it is as one HTML page: no scripts, nothing loaded.

    Args:
        results: what :func:`nwbsparse.run` made or :func:`nwbsparse.open_results` opened.
        binned: the split Binned dataset that the latents were encoded from.
        to: the file to write; one of the same name is replaced when the new one is complete.
        figures: names of the figures of the whole result (``nwbsparse.views.figures.FIGURES``) in
            place of the usual ones.

    Returns:
        The path of the page.

    Raises:
        BadInput: ``binned`` has other bins or units than the results, or was not split; or there is
            no figure of a name.
        EnvironmentProblem: the page cannot be written there.
    """
    _check(results, binned)
    to = Path(to).expanduser()
    write_whole(to, render(results, binned, figures).encode("utf-8", "replace"))
    return to


def render(results: Results, binned: xr.Dataset, figures: Sequence[str] | None = None) -> str:
    """The page as text; everything that came from the file is escaped."""
    world = Environment(
        autoescape=True,
        loader=PackageLoader("nwbsparse", "views"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    world.filters["flags_whole"] = flags_whole
    return unbroken(world.get_template(TEMPLATE).render(_content(results, binned, figures)))


def _content(results: Results, binned: xr.Dataset, figures: Sequence[str] | None) -> dict[str, Any]:
    source, config = results.session.source, results.config
    findings = findings_of(results)
    original = results.coder.record.source_sha256
    variables_found, come_back = found(results, binned), unexplained(results, binned)
    shown = _shown(results, variables_found, come_back)
    return {
        "head": top_of_page(results, binned),
        "found": variables_found,
        "come_back": come_back,
        "candidates": candidates(results, binned),
        "reading": reading(results),
        "findings": findings,
        "to_be_careful": found_said(findings),
        "parts": parts(binned),
        "variables": variables(binned),
        "n_bins": f"{binned.sizes[names.TIME]:,}",
        "bin_width": width(float(binned.attrs[names.BIN_WIDTH])),
        "length": duration(binned.sizes[names.TIME] * float(binned.attrs[names.BIN_WIDTH])),
        "extent_from": binned.attrs.get("extent_from", ""),
        "n_dropped": f"{int(binned['dropped'].sum()):,}" if "dropped" in binned else "0",
        "quality": quality(results, binned),
        "held_out": held_out_said(results),
        "quality_figures": [
            (title, data_uri(ax)) for title, ax in draw_all(results, binned, figures)
        ],
        "apart": results.coder.record.apart,
        "embedded": not results.coder.record.of_units,
        "traces": is_of_traces(binned),
        "n_latents": results.coder.n_latents,
        "n_lines_dropped": dropped_said(results),
        "advice": advice(findings),
        "comes_back_said": comes_back_said(results),
        **in_time(results, binned, shown),
        "rows": rows(results),
        "n_hidden_rows": max(results.coder.n_latents - ROWS, 0),
        "alpha": f"{float(results.attribution.attrs['alpha']):g}",
        "alpha_percent": f"{float(results.attribution.attrs['alpha']):.0%}".replace("%", " %"),
        "config": config,
        "options": to_toml(config),
        "environment": _of_several(results)
        | {str(key): str(value) for key, value in results.environment.items()},
        "source": source,
        "file_name": source.path.name
        if source.path
        else source.identifier or "a session in memory",
        "annotated": _annotated(results),
        "original_sha256": original,
        "coder_id": results.coder.id,
        "name": results.name,
        "version": results.coder.record.software.get("nwbsparse", own_version()),
        "subject": subject_said(results.session.subject),
    }


def _shown(results: Results, variables_found: Found, come_back: ComeBack) -> list[int]:
    """The latents that the page shows one by one; where there are none, the nearest to a finding."""
    latents = [card.row.latent for one in variables_found.followed for card in one.cards]
    latents += [one.latent for one in come_back.shown]
    return latents or [int(latent) for latent in ranked(results.attribution)[:IN_TIME]]


def _of_several(results: Results) -> dict[str, str]:
    """What the page says of a model that was learned from several recordings."""
    record = results.coder.record
    if not record.part_of_several:
        return {}
    others = ", ".join(one for one in record.session_names if one != record.session)
    return {
        "model id": f"{record.model_id}, the same in the files of all its sessions",
        "session": f"{record.session}, learned together with {others}",
    }


def _annotated(results: Results) -> str:
    """Name of the annotated NWB file: the one that was opened, or the one that ``run`` writes."""
    source = results.session.source
    if source.path is None:
        return "annotated.nwb"
    is_original = source.sha256 == results.coder.record.source_sha256
    return derived_name(source.path, results.name) if is_original else source.path.name


def _check(results: Results, binned: xr.Dataset) -> None:
    check(binned, names.BINNED)
    if names.SPLIT not in binned.coords:
        raise BadInput("the bins were not split yet; call nwbsparse.split(binned) first")
    n_bins, n_known = binned.sizes[names.TIME], results.latents.sizes[names.TIME]
    if n_bins != n_known:
        raise BadInput(
            f"the latents have {n_known:,} bins but binned has {n_bins:,}: bin and split the "
            "recording with the options in results.config"
        )
    for name in (names.TIME, names.SPLIT):
        known = results.latents.coords.get(name)
        if known is not None and not np.allclose(known.values, binned[name].values, atol=1e-6):
            raise BadInput(
                f"the {name} of the bins is not that of the latents: bin and split the recording "
                "with the options in results.config"
            )
    for population in (results.coder.reads, results.coder.writes):
        population(binned)  # says so where the units are others
