"""``nwbsparse demo``: run the simulations and say in words what was recovered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from nwbsparse.analysis.recovery import Recovered
from nwbsparse.cli.show import progress_bars, show_run
from nwbsparse.cli.whole_words import print_table
from nwbsparse.runs.demo.assemblies import AssembliesDemo, Named, assemblies_demo
from nwbsparse.runs.demo.methods import LATENTS, NMF, PCA, PLAIN, UNITS, Matched
from nwbsparse.runs.demo.placecells import PlaceCellDemo, placecell_demo, seed_table
from nwbsparse.runs.demo.superposition import SuperpositionDemo, superposition_demo
from nwbsparse.simulate.placecells import FIELDS

Notify = Callable[[str], None]


def demonstrate(console: Console, out: Path, seed: int, notify: Notify) -> None:
    """Assemblies with behaviour, weak sources in superposition, and the published place cells."""
    with progress_bars(console) as progress:
        console.print("1. Assemblies of weak units that follow place and movement", style="bold")
        mixed = assemblies_demo(out, seed=seed, notify=notify, progress=progress)
    _show_assemblies(console, mixed)
    with progress_bars(console) as progress:
        console.print("\n2. More weak sources than units", style="bold")
        weak = superposition_demo(out, seed=seed, notify=notify, progress=progress)
    _show_methods(console, weak.methods, weak.n_sources)
    with progress_bars(console) as progress:
        console.print("\n3. Four overlapping place cells among 96 noise units", style="bold")
        cells = placecell_demo(out, seed=seed, notify=notify, progress=progress)
    _show_placecells(console, cells)
    console.print()
    for sentence in in_short(mixed.named, mixed.methods, weak, cells.latents, cells.units):
        console.print(sentence, highlight=False)
    console.print(f"\nannotated NWB  {mixed.run.nwb}", soft_wrap=True)
    console.print(f"report         {mixed.run.report}", soft_wrap=True)
    console.print("next           nwbsparse run YOUR.nwb --out results", soft_wrap=True)


def in_short(
    named: Sequence[Named],
    mixed: Mapping[str, Matched],
    weak: SuperpositionDemo,
    cells_of_latents: Sequence[Recovered],
    cells_of_units: Sequence[Recovered],
) -> list[str]:
    """What the three recordings show, in four sentences."""
    n, right = len(named), sum(one.right for one in named)
    found = {name: one.found for name, one in mixed.items()}
    sources = {name: one.found for name, one in weak.methods.items()}
    share = f"{weak.methods[LATENTS].precision:.0%}".replace("%", " %")
    rightly = "All" if right == found[LATENTS] else f"{right}"
    recovered, units = (
        sum(cell.latent is not None for cell in one) for one in (cells_of_latents, cells_of_units)
    )
    return [
        f"Of {n} planted assemblies the latents find {found[LATENTS]}; single units are "
        f"{found[UNITS]} of them; told how many to look for, PCA finds {found[PCA]}, NMF {found[NMF]}, "
        f"and a coder that sees what it writes {found[PLAIN]}.",
        f"{rightly} of those {found[LATENTS]} are named by what drives them, though the model was never "
        "shown the behaviour.",
        f"Of {weak.n_sources} weak sources over {weak.n_units} units {sources[LATENTS]} come out, and "
        f"{share} of the latents are one; units are {sources[UNITS]} of them, PCA finds {sources[PCA]}, "
        f"NMF {sources[NMF]}, the coder that sees what it writes {sources[PLAIN]}.",
        f"Of the four published place cells {recovered} are recovered, by single units {units}: that "
        "recording cannot tell latents from units; the first two can.",
    ]


def _show_assemblies(console: Console, mixed: AssembliesDemo) -> None:
    show_run(console, mixed.run)
    console.print()
    rows = [
        (
            one.planted,
            "–" if one.latent is None else str(one.latent),
            f"{one.cosine:.2f}",
            one.said or "nothing",
            Text("yes" if one.right else "no", "" if one.right else "red"),
        )
        for one in mixed.named
    ]
    print_table(console, ("driven by", "latent", "cosine", "said to follow", "right"), rows)
    console.print("starts (of runs) are no variable of the file", style="dim")
    _show_methods(console, mixed.methods, len(mixed.named))


def _show_methods(console: Console, methods: Mapping[str, Matched], n: int) -> None:
    console.print()
    rows = [
        (name, str(one.rows), f"{one.found} of {n}", f"{one.cosine.mean():.2f}")
        for name, one in methods.items()
    ]
    heads = ("method", "patterns offered", "planted ones found (cosine ≥ .8)", "mean cosine")
    print_table(console, heads, rows)


def _show_placecells(console: Console, cells: PlaceCellDemo) -> None:
    console.print()
    for cell, field in zip(cells.latents, FIELDS["overlapping"], strict=True):
        where = f"place cell {cell.unit} (field at {field.centre} m)"
        if cell.latent is None:
            console.print(Text.assemble(f"{where}: ", ("not recovered", "red")))
        else:
            same = "; it is that unit under another name" if cell.single_unit else ""
            console.print(f"{where}: latent {cell.latent}, tuning match {cell.match:.2f}{same}")
    console.print(
        "published method: all four in 3 of 10 seeds; here z-scored counts, squared error, batch top-k, "
        "tied start",
        style="dim",
    )


def demonstrate_seeds(console: Console, out: Path, seeds: int, notify: Notify) -> None:
    """The place cells under many seeds, beside the raw units."""
    rows = seed_table(out, range(seeds), notify=notify)
    complete = sum(row["recovered"] == 4 for row in rows)
    console.print(
        f"all four place cells in {complete} of {len(rows)} seeds (published method: 3 of 10; raw "
        "units: always, since an identity dictionary passes this criterion)"
    )
