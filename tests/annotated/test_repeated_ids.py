"""Units of one id, from the recording to the annotated file and back.

The kind of fault: a text that is taken for the identity of something of which the file holds several. Ids
repeat in real files (all 1; two probes counted from 0; two planes side by side), and everything after
reading works on rows: unit, digest, population, target, partner in another session.
"""

import numpy as np
import pytest
from pynwb import NWBHDF5IO

import nwbsparse as ns
from make.configs import plain_config
from make.recordings import laps, poisson_spikes, write_recording
from nwbsparse.annotated.read.same_units import n_changed
from nwbsparse.binning.with_target import with_target
from nwbsparse.errors import BadInput
from nwbsparse.io.unit_digests import unit_digests
from nwbsparse.runs.revisit import revisit
from nwbsparse.share.integrity import problems_of

QUICK = {"n_latents": 16, "k": 2, "max_epochs": 2, "batch_size": 100, "n_shifts": 30}
IDS = {"all alike": [1] * 6, "two probes": [0, 1, 2, 0, 1, 2], "some": [4, 7, 4, 5, 6, 7]}


def recorded(path, unit_ids):
    spikes = poisson_spikes(n_units=len(unit_ids), rate=8.0)
    return write_recording(path, spike_times=spikes, unit_ids=unit_ids, trials=laps())


def analysed(session, **options):
    binned = ns.split(ns.to_bins(session, 0.1))
    coder = ns.fit(binned, plain_config(**(QUICK | options)))
    latents = ns.encode(coder, binned)
    attribution = ns.explain(coder, binned, latents)
    return ns.Results(session, coder, latents, ns.evaluate(coder, binned), attribution), binned


@pytest.fixture(scope="module", params=IDS)
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ids")
    path = recorded(folder / "rec.nwb", IDS[request.param])
    results, binned = analysed(ns.read(path))
    return path, results, binned, ns.write(results, folder / "annotated.nwb")


def test_results_come_back_as_they_were(made):
    _, results, binned, annotated = made
    again = ns.open_results(annotated)
    assert again.coder.id == results.coder.id
    assert again.attribution["unit_id"].values.tolist() == [
        str(one) for one in binned["unit_id"].values
    ]
    assert len(set(again.coder.record.unit_ids)) == 6
    for coder in (again.coder, results.coder):
        assert coder.record.columns(binned["unit_id"].values)[0] == [*range(6)]
    assert ns.encode(again.coder, binned)["activation"].equals(results.latents["activation"])


def test_the_file_says_which_id_and_row_each_unit_has(made):
    path, results, _, annotated = made
    with NWBHDF5IO(path, "r") as io:
        own = np.asarray(io.read().units.id[:]).tolist()
    linked = ns.write(results, path.parent / "linked.nwb", "link")
    for one in (annotated, linked):
        with NWBHDF5IO(one, "r") as io:
            model = io.read().processing["sparse_latents"]["latents"]
            population = model.input_population
            assert population["source_id"][:].tolist() == own
            assert population["source_row"][:].tolist() == [*range(6)]
            assert all(population["activity_sha256"][:]), "what each unit did is kept"
            assert problems_of(model) == []


def test_each_unit_has_its_own_digest(made):
    path, results, _, annotated = made
    now = unit_digests(ns.read(path))
    assert len(now) == len(set(now.values())) == 6
    assert not n_changed(ns.open_results(annotated).digests, {"unit": now, "input_unit": now})
    one_gone = {unit: digest for unit, digest in now.items() if unit[0] != 4}
    assert n_changed(results.digests, {"unit": one_gone, "input_unit": one_gone}) <= 1


def test_a_finished_run_is_opened_again_and_named(made):
    path, _, binned, annotated = made
    there = revisit(annotated, source=path)
    assert there.binned["unit_id"].equals(binned["unit_id"])
    ns.label(annotated, 3, name="left", verdict="accepted")
    assert ns.open_results(annotated).attribution["label"].values[3] == "left"
    page = ns.report(ns.open_results(annotated), there.binned, annotated.parent / "r.html")
    assert page.is_file()


def test_some_units_are_made_from_the_others(tmp_path):
    """Which unit is read and which is reconstructed is no matter of its id."""
    path = recorded(tmp_path / "rec.nwb", [0, 1, 2, 0, 1, 2])
    targets = "0 (row 3), 2 (row 2)"
    results, binned = analysed(ns.read(path), target_units=targets)
    record = results.coder.record
    assert record.targets == ("2 (row 2)", "0 (row 3)")
    assert record.columns(binned["unit_id"].values) == ([0, 1, 4, 5], [2, 3])
    annotated = ns.write(results, tmp_path / "annotated.nwb")
    assert ns.open_results(annotated).attribution["input_unit_row"].values.tolist() == [0, 1, 4, 5]


def test_units_of_another_table_are_found_by_their_rows(tmp_path):
    read, target = (
        ns.read(recorded(tmp_path / f"{name}.nwb", ids))
        for name, ids in (("a", [0, 1, 0, 1]), ("b", [0, 0, 1]))
    )
    both = with_target(ns.to_bins(read, 0.1), target, units="0 (row 1), 1")
    called = both["unit_id"].values.tolist()
    assert len(set(called)) == 6
    assert [one.rpartition(":")[2] for one in called[4:]] == ["0 (row 1)", "1"]


def test_a_row_is_no_partner_in_another_session(made, tmp_path):
    """Row 3 of one recording is not row 3 of another, unless both have the same units throughout."""
    _, results, binned, _ = made
    other = ns.read(recorded(tmp_path / "other.nwb", [1] * 7))
    there = ns.split(ns.to_bins(other, 0.1))
    assert ns.transfer(results.coder, binned, results.attribution).attrs["n_units_matched"] == 6
    with pytest.raises(BadInput, match="say which are the same with matching"):
        ns.transfer(results.coder, there, results.attribution)


def test_two_planes_counted_from_0_are_run(tmp_path):
    """Two series of ROIs side by side: the other way in which ids come to repeat."""
    counts = np.random.default_rng(0).poisson(2.0, (600, 4)).astype(np.uint8)
    session = ns.read(counts, bin_width=0.1, unit_ids=[0, 1, 0, 1])
    results, binned = analysed(session)
    assert binned["unit_id"].values.tolist() == ["0 (row 0)", "1 (row 1)", "0 (row 2)", "1 (row 3)"]
    annotated = ns.write(results, tmp_path / "annotated.nwb")
    assert ns.open_results(annotated).coder.record.unit_ids == results.coder.record.unit_ids
