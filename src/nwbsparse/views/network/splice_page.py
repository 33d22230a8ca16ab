"""The page of a coder inside a network: what was kept, what latents stand for, what goes with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.schema import own_version
from nwbsparse.views.drawing import svg
from nwbsparse.views.network.ablation import ablation_panels
from nwbsparse.views.network.fidelity import retained_by_representation
from nwbsparse.views.network.selectivity_map import selectivity_map
from nwbsparse.views.network.steering_curves import steering_curves
from nwbsparse.views.study.page import Block, Grid, Listed, Page, Picture, Section, Words
from nwbsparse.views.words import several

LATENTS, RESAMPLE, INTACT = "latents", "resample", "intact"
ABOVE_CHANCE = 0.05
"""What a score must be above chance for its variable to be decoded."""
SAID = {
    "frozen": "The network as it was trained; the coder was fitted to its layer afterwards.",
    "together": "Network and coder trained on together, the network seeing its layer through the coder.",
}
LISTED = 40


def splice_page(
    pairs: Mapping[str, Mapping[str, xr.Dataset]],
    *,
    sessions: Sequence[tuple[str, int, int]],
    class_label: str | None = None,
    told_by: Sequence[tuple[str, str]] = (),
) -> Page:
    """Everything that was found of a coder inside a network, for a reader.

    Args:
        pairs: per way of training the tables of what was found, by name.
        sessions: name, number of trials and of units of each.
        class_label: the label that is the same in a whole session.
        told_by: pairs of variables of which the first says what the second is.
    """
    first = next(iter(pairs.values()))["splice_report"]
    heads = [str(one) for one in first[names.HEAD].values]
    n_trials = sum(one[1] for one in sessions)
    sections = [Section("sessions", "Sessions", [_sessions(sessions)])]
    for name, tables in pairs.items():
        sections.append(Section(name, _title(name), _pair(name, tables, class_label)))
    sections.append(Section("reading", "How to read it", [Listed(_reading(class_label, told_by))]))
    return Page(
        "A coder inside a network",
        f"{several(len(sessions), 'session')}, {n_trials:,} trials · site {first.attrs['site']} · "
        f"nwbsparse {own_version()}",
        f"A network decodes {_listed(heads)} from the population; a sparse coder stands in the place of "
        "one of its layers. All numbers are of test trials, which nothing was learned from.",
        sections,
    )


def _title(name: str) -> str:
    return {"frozen": "The network as it was", "together": "Trained together"}.get(name, name)


def _pair(name: str, tables: Mapping[str, xr.Dataset], class_label: str | None) -> list[Block]:
    report, selectivity = tables["splice_report"], tables["site_selectivity"]
    matrix, steered, probing = (
        tables["ablation_matrix"], tables["steering"], tables["site_probing"],
    )  # fmt: skip
    return [
        Words(" ".join([SAID.get(name, ""), *_not_decoded(report)])),
        Grid("What the network keeps", *_kept(report)),
        Picture(
            f"{name}-fidelity.svg", "What stands in the layer's place",
            "Score on test trials. Dotted: the intact network. Grey bars: chance.",
            svg(retained_by_representation(report)),
        ),
        Grid("What latents stand for", *_variables(tables, class_label)),
        Picture(
            f"{name}-selectivity.svg", "Latents by what they differ with",
            "η²: the share of a latent's variance over trials that is between the values of a variable.",
            svg(selectivity_map(selectivity)),
        ),
        Grid("Latents", *_latents(selectivity), folded=True),
        Picture(
            f"{name}-ablation.svg", "What goes when latents are removed",
            "Rows: the latents of which variable are removed (put to what they do in another trial). "
            "Columns: the share that each variable loses of what it was above chance.",
            svg(ablation_panels(matrix)),
        ),
        Grid("Mean and zero in their place", *_other_ablations(matrix), folded=True),
        Picture(
            f"{name}-steering.svg", "What is answered when latents are set to another condition",
            "Blue: how far the answer moves to that condition (1: all the way). Red: what each other "
            "variable loses. Dashed: as many random latents.",
            svg(steering_curves(steered)),
        ),
        Grid("Steering", *_steered(steered)),
        Grid("How few channels tell a variable", *_probed(probing), folded=True),
    ]  # fmt: skip


def _not_decoded(report: xr.Dataset) -> list[str]:
    """What there is to say of variables that the network itself does not tell."""
    intact = report["score"].sel({names.REPRESENTATION: INTACT})
    above = (intact - report["chance"]).values
    missing = [
        str(head)
        for head, own in zip(report[names.HEAD].values, above, strict=True)
        if not own >= ABOVE_CHANCE
    ]
    if not missing:
        return []
    verb = "is" if len(missing) == 1 else "are"
    return [
        f"{_listed(missing)} {verb} not decoded above chance here: it can neither be kept nor lost, and "
        "nothing below says anything of it."
    ]


def _sessions(sessions: Sequence[tuple[str, int, int]]) -> Grid:
    rows = [[name, f"{trials:,}", f"{units:,}"] for name, trials, units in sessions]
    return Grid("Recordings", ["session", "trials", "units"], rows, folded=len(rows) > 6)


def _kept(report: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    heads = [str(one) for one in report[names.HEAD].values]
    rows = []
    for called in report[names.REPRESENTATION].values:
        own = report.sel({names.REPRESENTATION: called})
        rows.append([
            str(called),
            *(_number(float(own["score"].sel({names.HEAD: head}))) for head in heads),
            _number(float(own["loss_recovered_mean"])), _number(float(own["kl"].mean())),
            _number(float(own["r2"])), _number(float(own["l0"]), 1),
        ])  # fmt: skip
    chance = [_number(float(report["chance"].sel({names.HEAD: head}))) for head in heads]
    rows.append(["chance", *chance, "", "", "", ""])
    return ["", *heads, "loss recovered", "KL", "R² of the layer", "active"], rows


def _variables(
    tables: Mapping[str, xr.Dataset], class_label: str | None
) -> tuple[list[str], list[list[str]]]:
    selectivity, matrix = tables["site_selectivity"], tables["ablation_matrix"]
    bare = tables.get("untrained_selectivity")
    own = matrix.sel({names.REPRESENTATION: LATENTS, names.ABLATION: RESAMPLE})
    rows = []
    for one in selectivity[names.HEAD].values:
        head = str(one)
        at = selectivity.sel({names.HEAD: one})
        row = own["normalised_drop"].sel({names.REMOVED: one})
        others = row.sel({names.HEAD: [x for x in row[names.HEAD].values if x != one]}).values
        tested = "sessions" if head == class_label or bool(at["constant"]) else "trials"
        rows.append([
            head, f"{int(at['n_selective'])}", _number(float(at["n_selective_shuffled"]), 1),
                "" if bare is None else f"{int(bare['n_selective'].sel({names.HEAD: one}))}",
            f"{int(at['n_cases']):,} {tested}",
            f"{int(matrix['n_removed'].sel({names.REPRESENTATION: LATENTS, names.REMOVED: one}))}",
            _number(float(row.sel({names.HEAD: one}))), _number(_most(others)),
            _number(float(own["selectivity_index"].sel({names.REMOVED: one}))),
        ])  # fmt: skip
    headings = [
        "variable", "selective latents", "of shuffled labels", "untrained network", "tested over",
        "removed", "own loss", "largest other loss", "index",
    ]  # fmt: skip
    return headings, rows


def _latents(selectivity: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    heads = [str(one) for one in selectivity[names.HEAD].values]
    eta2 = selectivity["eta2"].values
    chosen = selectivity["selective_for"].values
    there = np.flatnonzero(chosen != "")
    best = np.array([eta2[one, heads.index(str(chosen[one]))] for one in there])
    rows = []
    for one in there[np.argsort(-best)][:LISTED] if len(there) else []:
        at = heads.index(str(chosen[one]))
        rows.append([
            f"{one}", f"{chosen[one]} = {selectivity['preferred'].values[one, at]}",
            _number(float(eta2[one, at])), _p(float(selectivity["p"].values[one, at])),
            f"{float(selectivity['density'].values[one]):.1%}",
        ])  # fmt: skip
    return ["latent", "most active at", "η²", "p (uncorrected)", "active in bins"], rows


def _other_ablations(matrix: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    rows = []
    for called in matrix[names.REPRESENTATION].values:
        for ablation in matrix[names.ABLATION].values:
            own = matrix["selectivity_index"].sel(
                {names.REPRESENTATION: called, names.ABLATION: ablation}
            )
            rows.append([str(called), str(ablation), *(_number(x) for x in own.values.tolist())])
    heads = [str(one) for one in matrix[names.REMOVED].values]
    return ["", "in their place", *(f"index, {one}" for one in heads)], rows


def _steered(steered: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    rows = []
    for called in steered[names.REPRESENTATION].values:
        for head in steered[names.STEERED].values:
            own = steered.sel({names.REPRESENTATION: called, names.STEERED: head})
            rows.append([
                str(called), str(head), f"{int(own['n_set'])}", _number(float(own["target_area"])),
                _number(float(own["worst_off_target_area"])), str(own["outcome"].item()),
            ])  # fmt: skip
    return ["", "variable", "set", "target area", "off-target area", ""], rows


def _probed(probing: xr.Dataset) -> tuple[list[str], list[list[str]]]:
    ks = probing[names.N_CHANNELS].values.tolist()
    rows = []
    for called in probing[names.REPRESENTATION].values:
        for head in probing[names.HEAD].values:
            own = probing["balanced_accuracy"].sel({names.REPRESENTATION: called, names.HEAD: head})
            chance = _number(float(probing["chance"].sel({names.HEAD: head})))
            rows.append(
                [str(called), str(head), *(_number(x) for x in own.values.tolist()), chance]
            )
    return ["", "variable", *(f"{k:g}" for k in ks), "chance"], rows


def _reading(class_label: str | None, told_by: Sequence[tuple[str, str]]) -> list[str]:
    said = [
        "Loss recovered: 1 is the intact network, 0 the layer put to its mean.",
        "A random coder, an untrained one and principal components stand in the same place: where they "
        "keep as much, the coder's doing so says little.",
        "Latents are chosen on training trials, their number on validation trials.",
        "Index: own loss minus the largest loss of another variable.",
        "Steerable: the target area is at least .5 and the off-target area at most half of it. Not "
        "encoded: the target area is below .1.",
    ]
    said += [
        f"{one} says what {other} is: latents of one cannot be removed or set without the other, and none "
        f"differs more with {other}. An index of the two says little."
        for one, other in told_by
    ]
    if class_label:
        said.append(
            f"{class_label} is the same in a whole session, and a network can tell it from whose units it "
            "reads. Its latents are tested by permuting it over sessions, not over trials; whether it is "
            "in the activity is shown by sessions that the network did not learn from "
            "(`nwbsparse decoder evaluate --whole-sessions`)."
        )
    return said


def _listed(heads: Sequence[str]) -> str:
    return heads[0] if len(heads) == 1 else f"{', '.join(heads[:-1])} and {heads[-1]}"


def _most(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else float("nan")


def _number(value: float, digits: int = 3) -> str:
    # so that what rounds to zero has no sign
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else ""


def _p(value: float) -> str:
    return "" if not np.isfinite(value) else f"{value:.3f}"
