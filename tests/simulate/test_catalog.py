"""Every simulation by its name, with its own options and no others."""

from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from pynwb import NWBHDF5IO

from make.cli_runs import run_cli
from nwbsparse.binning.groups import groups_of
from nwbsparse.cli.commands.simulate import simulate
from nwbsparse.errors import BadInput
from nwbsparse.io.read import read
from nwbsparse.simulate.catalog import SIMULATIONS, simulation
from nwbsparse.simulate.nwb import write_simulation
from nwbsparse.simulate.superposition import simulate_superposition

SMALL = {
    "nldisco-placecells": {},
    "superposition": {"n_bins": 500, "n_units": 20, "n_sources": 30},
    "assemblies": {"duration": 20.0, "n_units": 20},
    "orientation": {"session": 1, "n_units": 6, "repeats": 1},
    "factors": {"session": 1, "n_units": 6, "n_trials": 20},
}
PAGE = Path(__file__).parents[2] / "docs/reference/simulations.md"


def test_the_command_has_the_options_of_all_simulations_and_no_others():
    flags = set(signature(simulate).parameters) - {"name", "out", "overwrite"}
    assert flags == {option for one in SIMULATIONS.values() for option in one.options}


def test_help_and_the_page_name_every_simulation_and_option(capsys):
    page = PAGE.read_text(encoding="utf-8")
    assert run_cli("simulate", "--help") == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name, one in SIMULATIONS.items():
        assert name in shown and f"## `{name}`" in page
        section = page.partition(f"## `{name}`")[2].partition("\n## ")[0]
        for option, default in one.options.items():
            flag = f"--{option.replace('_', '-')}"
            assert flag in shown
            [row] = [line for line in section.splitlines() if line.startswith(f"| `{flag}` |")]
            said = row.split("|")[2].strip()
            shown_default = "all" if default is None else default
            assert said == (
                f"`{shown_default}`" if isinstance(shown_default, str) else f"{default:g}"
            )


@pytest.mark.parametrize("name", SIMULATIONS)
def test_every_simulation_is_written_and_read(name, tmp_path):
    made = simulation(name).make(SMALL[name])
    session = read(write_simulation(made, tmp_path / "a.nwb"))
    contents = made.contents()
    if contents.imaging is None:
        assert session.units.sizes["unit"] == len(contents.spike_times)
        np.testing.assert_array_equal(session.spike_times, np.concatenate(contents.spike_times))
    else:
        np.testing.assert_array_equal(session.traces.data, contents.imaging.dff)
    assert set(session.series) == {one.name for one in contents.signals}
    assert set(session.intervals) == {one.name for one in contents.intervals}


@pytest.mark.parametrize("name", SIMULATIONS)
def test_an_option_that_a_simulation_has_not_is_refused_in_words(name):
    others = {option for one in SIMULATIONS.values() for option in one.options}
    for option in others - set(simulation(name).options):
        with pytest.raises(BadInput, match=f"no option {option}.*its options: ") as refused:
            simulation(name).make({option: 1})
        assert all(own in str(refused.value) for own in simulation(name).options)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("asemblies",), "did you mean 'assemblies'?"),
        (
            ("xyz",),
            "there are: nldisco-placecells, superposition, assemblies, orientation, factors",
        ),
        (("nldisco-placecells", "--seed=1"), "no option seed"),
        (("assemblies", "--gain=2"), "no option gain"),
        (("superposition", "--gain=-1"), "gain is -1; choose 0 to"),
        (("superposition", "--units-per-source=101"), "units_per_source is 101; choose 1 to 100"),
        (("superposition", "--event-probability=2", "--seed=-1"), "2 problems"),
        (("orientation", "--session=12"), "session is 12; choose 0 to 11"),
        (("orientation", "--n-classes=7", "--noise=nan"), "2 problems"),
        (("factors", "--n-active=40"), "n_active is 40; choose 1 to 39"),
    ],
)
def test_the_command_refuses_before_anything_is_written(words, said, tmp_path, capsys):
    assert run_cli("simulate", *words, "--out", tmp_path / "new" / "x.nwb") == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_weak_events_are_asked_for_with_a_gain(tmp_path):
    out = tmp_path / "weak.nwb"
    asked = ("--gain=.6", "--seed=2", "--n-bins=4000")
    assert run_cli("simulate", "superposition", "--out", out, *asked) == 0
    weak = simulate_superposition(gain=0.6, seed=2, n_bins=4000)
    with NWBHDF5IO(out, "r") as stream:
        spikes = np.diff([0, *stream.read().units["spike_times"].data.parent["spike_times_index"]])
    np.testing.assert_array_equal(spikes, weak.counts.sum(axis=0))
    strong = simulate_superposition(seed=2, n_bins=4000)
    added = [one.counts.mean() - 0.02 for one in (weak, strong)]
    assert added[0] / added[1] == pytest.approx(0.3, rel=0.05)


def test_units_of_one_source_share_no_spikes(tmp_path):
    made = simulate_superposition(n_bins=10_000)
    session = read(write_simulation(made, tmp_path / "s.nwb"))
    assert len(set(groups_of(session.spike_times, session.spike_index))) == 100
