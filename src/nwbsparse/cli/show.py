"""What a person sees: tables, progress bars and the last lines of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from nwbsparse.binning.events import MAX_LABELS
from nwbsparse.cli.choices import show_choices
from nwbsparse.options.toml import to_toml
from nwbsparse.progress import Progress, silent
from nwbsparse.session import Session

_PLAIN_KINDS = {"category", "continuous", "event time", "identifier", "constant"}


@contextmanager
def progress_bars(console: Console, *, quiet: bool = False) -> Iterator[Progress]:
    """One bar per stage, with its latest numbers beside it; nothing when quiet."""
    if quiet:
        yield silent
        return
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    bars = Bars(*columns, console=console, transient=True)
    tasks: dict[str, Any] = {}

    def update(stage: str, done: int, total: int, /, **numbers: float) -> None:
        said = "  ".join(f"{key} {value:.4g}" for key, value in numbers.items())
        if not tasks:
            bars.start()  # not before: what goes wrong until then is said without them
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total, numbers=said)
        bars.update(tasks[stage], completed=done, total=total, numbers=said)

    try:
        yield update
    finally:
        if tasks:
            bars.stop()


def show_recording(console: Console, seen: dict[str, Any]) -> None:
    """What ``nwbsparse inspect`` prints about a recording."""
    subject = ", ".join(f"{key} {value}" for key, value in seen["subject"].items()) or "not stated"
    facts = Table.grid(padding=(0, 2))
    for key, value in (
        ("source", seen["source"]),
        ("identifier", seen["identifier"]),
        ("NWB", seen["nwb_version"]),
        ("subject", subject),
        ("recorded", f"{seen['start']:.1f} to {seen['stop']:.1f} s ({seen['extent_from']})"),
        *_activity(seen),
    ):
        facts.add_row(Text(key, "bold"), str(value))
    console.print(facts)
    for one in seen["series"]:
        console.print(_series_line(one))
    for name, n in seen["events"].items():
        said = f": {kinds}" if (kinds := _labels(seen["event_labels"][name])) else ""
        console.print(Text.assemble("\n", (name, "bold"), f" (events): {n:,}{said}"))
    for table in seen["intervals"]:
        columns = [
            Text.assemble(f"{key} ", (f"({kind})", "dim")) for key, kind in table["columns"].items()
        ]
        head = Text.assemble("\n", (table["name"], "bold"), f": {table['rows']} intervals. ")
        console.print(head + (Text(", ").join(columns) if columns else Text("no columns")))
    console.print()
    console.print(report_table(seen["report"]))
    for warning in seen["report"]["warnings"]:
        console.print(Text.assemble(("library warning:", "yellow"), f" {warning}"))


def _labels(labels: dict[str, int]) -> str:
    """'left (600), right (634)': what binning keeps apart; else that it counts them together."""
    if len(labels) > MAX_LABELS:
        return f"{len(labels):,} different labels, counted together (more than {MAX_LABELS})"
    return ", ".join(f"{label or 'unlabelled'} ({n:,})" for label, n in labels.items())


def _activity(seen: dict[str, Any]) -> list[tuple[str, str]]:
    traces = seen["traces"]
    if traces is not None:
        what = "counts" if traces["counts"] else "traces"
        return [
            ("units", str(seen["n_units"])),
            (
                what,
                f"{traces['name']}: {traces['samples']:,} samples ({traces['unit'] or 'no unit'})",
            ),
            (
                "bin width",
                f"{traces['step'] * 1000:.6g} ms, that of the {what}, when none is given",
            ),
        ]
    return [
        ("units", f"{seen['n_units']}, of which {seen['n_units_firing']} fire"),
        ("spikes", f"{seen['n_spikes']:,} ({seen['mean_rate']:.1f} per second over all units)"),
        (
            "bin width",
            f"{seen['suggested_bin_width'] * 1000:g} ms suggested: "
            f"{seen['spikes_per_suggested_bin']:.1f} population spikes per bin",
        ),
    ]


def show_account(console: Console, session: Session) -> None:
    """What was read of a recording, as soon as it is."""
    console.print(report_table(session.report.to_dict()))


def report_table(report: dict[str, Any]) -> Table:
    """The ReadReport: what was found, kept and dropped, and why."""
    table = Table(title="What was read", title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("what")
    table.add_column("name", overflow="fold", max_width=32)
    for name in ("found", "kept", "dropped"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("why", overflow="fold", ratio=1)
    for line in report["lines"]:
        if (
            not line["dropped"]
            and set(line["reasons"]) <= _PLAIN_KINDS
            and line["kind"] == "column"
        ):
            continue  # listed with its table already
        dropped = Text(f"{line['dropped']:,}", "red" if line["dropped"] else "")
        table.add_row(
            line["kind"],
            line["name"],
            f"{line['found']:,}",
            f"{line['kept']:,}",
            dropped,
            "; ".join(line["reasons"]),
        )
    return table


def _series_line(one: dict[str, Any]) -> Text:
    columns = "" if one["columns"] == 1 else f" × {one['columns']}"
    clock = "" if one["median_step"] is None else f" every {one['median_step'] * 1000:.4g} ms"
    stretch = "" if one["start"] is None else f", {one['start']:.1f} to {one['stop']:.1f} s"
    notes = "".join(f"\n  {note}" for note in one["notes"])
    return Text.assemble(
        "\n",
        (one["name"], "bold"),
        f" ({one['kind']}, {one['unit'] or 'no unit'}): {one['samples']:,}{columns} samples{clock}"
        f"{stretch}, {one['measured_share']:.0%} measured{notes}",
    )


def show_run(console: Console, done: Any) -> None:
    """The end of a run: what was found, the numbers, where the files are."""
    numbers = done.metrics
    show_choices(console, done.results.coder.record.learned)
    console.print()
    for sentence in numbers["headline"]:
        console.print(sentence, highlight=False)
    console.print(
        Text.assemble(
            ("reconstruction: held-out R²", "bold"),
            f" {numbers['test_r2']:.3f}   ",
            ("L0", "bold"),
            f" {numbers['test_l0']:.2f} (asked {numbers['k']})   ",
            ("dead", "bold"),
            f" {numbers['dead_fraction']:.0%}",
        )
    )
    copies = f" {numbers['n_single_unit_latents']} of {numbers['n_latents']}"
    console.print(Text.assemble(("latents that are single units", "bold"), copies))
    console.print(f"annotated NWB  {done.nwb}", soft_wrap=True)
    console.print(f"report         {done.report}", soft_wrap=True)


def show_joint_run(console: Console, done: Any) -> None:
    """The end of a run on several recordings: that of each, and where the whole coder is."""
    for name, one in done.runs.items():
        console.print(Text(f"\nsession {name}", style="bold"))
        show_run(console, one)
    console.print(f"\nmodel id {done.coder.id}, the same in all {len(done.runs)} files")
    console.print(f"the whole coder is in {done.folder}", soft_wrap=True)


def show_plan(console: Console, planned: Any, source: str, out: Path) -> None:
    """What a run would do: sizes, an estimate of time and memory, and every option."""
    if planned.config.reads == "counts":
        read = planned.pools or f"{planned.n_units} units"
    else:
        read = f"{planned.n_units} dims" + (f" ({planned.pools})" if planned.pools else "")
    console.print(
        Text.assemble(("would run", "bold"), f" on {source} and write to {out}"),
        soft_wrap=True,
    )
    console.print(
        f"{read}, {planned.n_bins:,} bins ({planned.n_train:,} to train on), "
        f"{planned.updates:,} updates"
    )
    console.print(
        f"about {planned.seconds:.0f} s to fit on this machine (timed on a few updates), "
        f"{max(planned.gigabytes, 0.1):.1f} GB beyond the libraries"
    )
    sys.stdout.write(to_toml(planned.config))
