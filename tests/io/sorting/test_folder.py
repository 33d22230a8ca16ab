"""Kilosort and Phy folders: every spike of every cluster, and no line of them executed."""

import os
import pickle
import shutil

import numpy as np
import pytest

from make.recordings import line_of, reasons
from nwbsparse.binning.grid import Grid
from nwbsparse.errors import BadInput
from nwbsparse.io.sorting.folder import read_sorting_folder

RATE = 30_000.0
PARAMS = (
    "dat_path = r'recording.dat'\nn_channels_dat = 4\nsample_rate = 30000.\nhp_filtered = False"
)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A folder that SpikeInterface wrote for Phy, and the spike samples of each unit."""
    core = pytest.importorskip("spikeinterface.core", reason="SpikeInterface writes the folder")
    from spikeinterface.exporters import export_to_phy
    from spikeinterface.postprocessing import template_similarity as similarity

    recording, sorting = core.generate_ground_truth_recording(
        durations=[5.0], num_channels=4, num_units=6, seed=0
    )
    analyzer = core.create_sorting_analyzer(sorting, recording, format="memory", sparse=False)
    quiet = {"n_jobs": 1, "progress_bar": False}
    analyzer.compute(["random_spikes", "waveforms", "templates", "noise_levels"], **quiet)
    with pytest.MonkeyPatch.context() as patch:  # the compiled one takes ten seconds to compile
        plain = similarity._compute_similarity_matrix_numpy
        patch.setattr(similarity, "_compute_similarity_matrix", plain)
        analyzer.compute("template_similarity")
    folder = tmp_path_factory.mktemp("exported") / "phy"
    nothing = {"compute_pc_features": False, "compute_amplitudes": False, "copy_binary": False}
    export_to_phy(analyzer, folder, **nothing, **quiet, verbose=False)
    samples = [sorting.get_unit_spike_train(unit, segment_index=0) for unit in sorting.unit_ids]
    return folder, samples, analyzer


@pytest.fixture
def phy(exported, tmp_path):
    """A copy of that folder, to be damaged."""
    return shutil.copytree(exported[0], tmp_path / "phy")


def write_folder(folder, samples, clusters, **files):
    """A Kilosort folder by hand; ``files`` are texts or arrays, '_tsv' and '_py' for the dot."""
    folder.mkdir(exist_ok=True)
    files = {"params_py": PARAMS} | files
    np.save(folder / "spike_times.npy", np.asarray(samples))
    if clusters is not None:
        np.save(folder / "spike_clusters.npy", np.asarray(clusters))
    for name, value in files.items():
        stem, _, suffix = name.rpartition("_")
        if isinstance(value, str):
            (folder / f"{stem}.{suffix}").write_text(value)
        elif value is not None:
            np.save(folder / f"{name}.npy", np.asarray(value))
    return folder


def everything(session):
    """All that a report says, in one text."""
    return "; ".join(
        f"{line.name}: {reason}" for line in session.report.lines for reason in line.reasons
    )


def assert_all_spikes(session, samples, *, rate):
    assert session.n_units == len(samples)
    for row, of_unit in enumerate(samples):
        np.testing.assert_array_equal(session.spikes_of(row), of_unit / rate)
    np.testing.assert_array_equal(session.units["n_spikes"], [len(s) for s in samples])


def test_a_folder_written_by_spikeinterface_keeps_every_spike(exported):
    folder, samples, analyzer = exported
    session = read_sorting_folder(folder, strict=True)
    assert_all_spikes(session, samples, rate=25_000.0)
    units = session.units
    assert units["unit_id"].values.tolist() == list(range(6))
    assert units.attrs["samples_per_second"] == 25_000.0
    assert units["quality"].values.tolist() == ["unsorted"] * 6
    assert units["si_unit_id"].values.tolist() == list(range(6))
    assert line_of(session, "spikes", "spike_times").dropped == 0
    assert session.source.path == folder
    main = np.ptp(analyzer.get_extension("templates").get_data(), axis=1).argmax(axis=1)
    at = analyzer.get_channel_locations()[main]
    np.testing.assert_allclose(units["x"], at[:, 0], atol=1e-4)
    np.testing.assert_allclose(units["depth"], at[:, 1], atol=1e-4)
    np.testing.assert_array_equal(units["y"], units["depth"])


def test_reading_changes_nothing_and_is_repeatable(phy):
    before = [path.read_bytes() for path in sorted(phy.iterdir())]
    digest = read_sorting_folder(phy).source.sha256
    assert [path.read_bytes() for path in sorted(phy.iterdir())] == before
    assert read_sorting_folder(phy).source.sha256 == digest
    (phy / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n")
    assert read_sorting_folder(phy).source.sha256 != digest


OPTIONAL = (
    *("cluster_group.tsv", "cluster_si_unit_ids.tsv", "cluster_channel_group.tsv"),
    *("templates.npy", "channel_positions.npy", "channel_map.npy", "spike_templates.npy"),
)


@pytest.mark.parametrize("name", [*OPTIONAL, "similar_templates.npy", "spike_clusters.npy"])
def test_without_an_optional_file_every_spike_is_still_there(exported, phy, name):
    (phy / name).unlink()
    assert_all_spikes(read_sorting_folder(phy), exported[1], rate=25_000.0)


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("how", ["truncated", "junk", "empty"])
def test_a_damaged_optional_file_is_reported_and_costs_no_spike(exported, phy, name, how):
    path = phy / name
    content = path.read_bytes()
    damage = {"truncated": content[:-7], "junk": b"\xff\x00\xfe" * 40, "empty": b""}
    path.write_bytes(damage[how])
    session = read_sorting_folder(phy)
    assert_all_spikes(session, exported[1], rate=25_000.0)
    if name.endswith(".npy") or how != "truncated":  # a table cut short is still a table
        assert "left out" in everything(session)
        with pytest.raises(BadInput, match="left out"):
            read_sorting_folder(phy, strict=True)


@pytest.mark.parametrize("name", ["spike_times.npy", "spike_clusters.npy"])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("truncated", "is damaged or incomplete"),
        ("header", "is damaged or incomplete"),
        ("junk", "is not a NumPy array file"),
        ("empty", "is empty: 0 bytes"),
        ("objects", r"holds Python objects \(a pickle\), which can run code: never opened"),
        ("matrix", r"of shape \(2, 3\), not one number per spike"),
        ("text", "not one number per spike"),
    ],
)
def test_a_damaged_needed_file_is_named(phy, name, how, said):
    path = phy / name
    if how == "objects":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif how == "matrix":
        np.save(path, np.zeros((2, 3), dtype=int))
    elif how == "text":
        np.save(path, np.array(["a", "b"]))
    else:
        content = path.read_bytes()
        damage = {"truncated": content[:-7], "junk": b"PK\x03\x04" * 40, "empty": b""}
        damage["header"] = content.replace(b"}", b"(", 1)  # numpy's own parser trips over it
        path.write_bytes(damage[how])
    with pytest.raises(BadInput, match=rf"{name} {said}|{name} holds .* {said}"):
        read_sorting_folder(phy)


def test_a_pickle_named_npy_is_never_loaded(phy, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "touched"),)

    (phy / "spike_times.npy").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(BadInput, match="never opened"):
        read_sorting_folder(phy)
    np.save(phy / "spike_times.npy", np.array([Hostile()], dtype=object), allow_pickle=True)
    with pytest.raises(BadInput, match="never opened"):
        read_sorting_folder(phy)
    assert not (tmp_path / "touched").exists()


def test_missing_spikes_and_clusters_are_said_with_where_to_look(tmp_path):
    with pytest.raises(BadInput, match="does not exist"):
        read_sorting_folder(tmp_path / "nowhere")
    write_folder(tmp_path / "sorter_output", [1, 2], None)
    with pytest.raises(BadInput, match=r"spike_times.npy is missing; it is in .*sorter_output"):
        read_sorting_folder(tmp_path)
    with pytest.raises(BadInput, match=r"spike_clusters.npy is missing, and so is spike_templates"):
        read_sorting_folder(tmp_path / "sorter_output")
    with pytest.raises(BadInput, match="is a file; give the folder"):
        read_sorting_folder(tmp_path / "sorter_output" / "spike_times.npy")


def test_all_problems_are_said_at_once(tmp_path):
    folder = write_folder(
        tmp_path / "ks", [1, 2, 3], [0.5, 1.0, 1.0], params_py="n_channels_dat = 4"
    )
    with pytest.raises(BadInput, match=r"2 problems:\n.*NaN or fractions\n.*sampling_frequency="):
        read_sorting_folder(folder)


@pytest.mark.fault(24)
def test_unequal_lengths_are_refused(tmp_path):
    folder = write_folder(tmp_path / "ks", [1, 2, 3], [0, 1])
    with pytest.raises(BadInput, match=r"holds 3 spikes and spike_clusters.npy 2: which spike"):
        read_sorting_folder(folder)


@pytest.mark.parametrize("params", [None, "", "n_channels_dat = 4\n", "sample_rate = 0\n"])
def test_without_a_sampling_rate_one_is_asked_for(tmp_path, params):
    folder = write_folder(tmp_path / "ks", [30_000, 60_000], [0, 0], params_py=params)
    with pytest.raises(BadInput, match=r"the sampling rate .*give sampling_frequency="):
        read_sorting_folder(folder)
    session = read_sorting_folder(folder, sampling_frequency=RATE)
    assert session.spike_times.tolist() == [1.0, 2.0]
    with pytest.raises(BadInput, match="must be a positive number, not -1"):
        read_sorting_folder(folder, sampling_frequency=-1.0)


def test_an_asked_sampling_rate_overrules_params_and_is_reported(tmp_path):
    folder = write_folder(tmp_path / "ks", [20_000], [0])
    session = read_sorting_folder(folder, sampling_frequency=20_000.0)
    assert session.spike_times.tolist() == [1.0]
    assert "params.py says 30000.0" in reasons(session, "spikes", "spike_times")


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.system('touch touched')",
        "sample_rate = __import__('os').mkdir('touched') or 1.0",
        "hp_filtered = open('touched', 'w').close()",
        "x = [].__class__.__base__",
        "y = " + "(" * 300 + ")" * 300,
        "os.x = 1",
        r"path = 'C:\Users\rat'",
    ],
)
def test_params_are_read_not_executed(tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    folder = write_folder(tmp_path / "ks", [30_000], [0], params_py=f"# Phy\n{PARAMS}\n{line}\n")
    session = read_sorting_folder(folder)
    assert session.spike_times.tolist() == [1.0]
    assert not list(tmp_path.rglob("touched"))
    said = line_of(session, "other", "params.py")
    assert (said.found, said.kept) == (5, 4)
    assert "never executed: line 6" in said.reasons[0]
    with pytest.raises(BadInput, match="never executed"):
        read_sorting_folder(folder, strict=True)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64", "float64"])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (1, -1)])
def test_samples_of_every_type_and_shape_are_the_same_times(tmp_path, dtype, shape):
    samples = np.array([3, 30_000, 45_001], dtype=dtype).reshape(shape)
    folder = write_folder(tmp_path / "ks", samples, np.array([7, 2, 7]).reshape(shape))
    session = read_sorting_folder(folder)
    assert session.units["unit_id"].values.tolist() == [2, 7]
    assert session.spikes_of(0).tolist() == [1.0]
    assert session.spikes_of(1).tolist() == [3 / RATE, 45_001 / RATE]
    assert session.units.attrs["samples_per_second"] == RATE


def test_fractional_times_are_seconds_and_need_no_rate(tmp_path):
    folder = write_folder(tmp_path / "ks", [0.5, 1.25, np.nan], [0, 1, 1], params_py="")
    session = read_sorting_folder(folder)
    assert session.spike_times.tolist() == [0.5, 1.25]
    assert "samples_per_second" not in session.units.attrs
    said = reasons(session, "spikes", "spike_times")
    assert "stored as seconds" in said
    assert "1 NaN or infinite time dropped, of unit 1 (1)" in said
    with pytest.raises(BadInput, match="NaN or infinite"):
        read_sorting_folder(folder, strict=True)


@pytest.mark.fault(27)
@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_odd_samples_are_kept_counted_and_refused_when_strict(tmp_path, dtype):
    samples = np.array([90, -30, 60, 60], dtype="int64").astype(dtype)
    folder = write_folder(tmp_path / "ks", samples, [0, 1, 0, 0])
    session = read_sorting_folder(folder)
    assert session.spikes_of(0).tolist() == [60 / RATE, 60 / RATE, 90 / RATE]
    assert session.spikes_of(1).tolist() == [-30 / RATE]
    said = reasons(session, "spikes", "spike_times")
    assert "1 unit had unsorted times and was sorted: 0" in said
    assert "1 duplicate (25.00% of all) kept" in said
    assert "1 spike before time 0 kept" in said
    with pytest.raises(BadInput, match="before time 0"):
        read_sorting_folder(folder, strict=True)


def test_no_spikes_at_all_and_a_wrong_rate_are_refused(tmp_path):
    table = "cluster_id\tgroup\n4\tgood\n"
    none = np.empty((0, 1), dtype=np.uint64)
    folder = write_folder(tmp_path / "ks", none, none, cluster_group_tsv=table)
    with pytest.raises(BadInput, match="no spikes in any of 1 unit"):
        read_sorting_folder(folder)
    folder = write_folder(tmp_path / "slow", [0, 10**7], [0, 0], params_py="sample_rate = 1.0")
    with pytest.raises(BadInput, match=r"at 1 samples per second .* check the sampling frequency"):
        read_sorting_folder(folder)


def test_partial_labels_lose_no_unit(tmp_path):
    folder = write_folder(
        tmp_path / "ks", np.arange(1, 9) * 100, [0, 1, 2, 3, 0, 1, 2, 3],
        cluster_group_tsv="cluster_id\tgroup\n1\tgood\n3\tnoise\n11\tmua\n",
        cluster_KSLabel_tsv="cluster_id\tKSLabel\n0\tmua\n1\tmua\n2\tgood\n3\tgood\n",
    )  # fmt: skip
    session = read_sorting_folder(folder, strict=True)
    units = session.units
    assert units["unit_id"].values.tolist() == [0, 1, 2, 3, 11]
    assert units["n_spikes"].values.tolist() == [2, 2, 2, 2, 0]
    assert units["quality"].values.tolist() == ["", "good", "", "noise", "mua"]
    assert units["KSLabel"].values.tolist() == ["mua", "mua", "good", "good", ""]
    assert "2 units without a label kept: 0, 2" in reasons(session, "units", "units")
    assert "1 unit without spikes kept: 11" in reasons(session, "units", "units")


@pytest.mark.parametrize("header", ["KSLabel", "group", "quality"])
@pytest.mark.parametrize("file", ["cluster_group_tsv", "cluster_KSLabel_tsv", "cluster_info_tsv"])
def test_labels_are_found_whatever_they_are_called(tmp_path, file, header):
    text = f"cluster_id\t{header}\n0\tgood\n1\tmua\n"
    session = read_sorting_folder(write_folder(tmp_path / "ks", [1, 2], [0, 1], **{file: text}))
    assert session.units["quality"].values.tolist() == ["good", "mua"]
    assert ("KSLabel" in session.units) == (header == "KSLabel")
    assert "group" not in session.units


def test_columns_of_all_tables_are_merged_by_cluster(tmp_path):
    folder = write_folder(
        tmp_path / "ks", [1, 2, 3], [5, 6, 6],
        cluster_Amplitude_tsv="cluster_id\tAmplitude\n6\t12.5\n5\t7\n",
        cluster_name_csv="cluster_id,name\n5,001\n6,010\n",
        cluster_info_tsv=(
            "id\tAmplitude\tch\tdepth\tn_spikes\tcomment\n5\t7.0\t3\t40.0\t1\t\n6\t99\t4\t60.0\t2\t\n"
        ),
    )  # fmt: skip
    session = read_sorting_folder(folder)
    units = session.units
    assert units["Amplitude"].values.tolist() == [7.0, 12.5]
    assert units["name"].values.tolist() == ["001", "010"]
    assert units["ch"].values.tolist() == [3, 4]
    assert units["depth"].values.tolist() == [40.0, 60.0]
    assert units["n_spikes_column"].values.tolist() == units["n_spikes"].values.tolist() == [1, 2]
    assert "comment" not in units
    assert line_of(session, "column", "units/comment").kept == 0
    said = reasons(session, "column", "units/Amplitude")
    assert "the files differ for 1 cluster: cluster_Amplitude.tsv is taken" in said


def test_a_value_that_only_some_clusters_have_is_nan_elsewhere(tmp_path):
    table = "cluster_id\tch\tsnr\n5\t3\tnan\nx\t1\t1\n6\t4\t2.5\n6\t5\t3.5\n"
    folder = write_folder(tmp_path / "ks", [1, 2, 3], [5, 6, 7], cluster_a_tsv=table)
    session = read_sorting_folder(folder)
    np.testing.assert_array_equal(session.units["ch"], [3, 5, np.nan])
    np.testing.assert_array_equal(session.units["snr"], [np.nan, 3.5, np.nan])
    said = reasons(session, "other", "cluster_a.tsv")
    assert "1 row without a cluster number left out" in said
    assert "1 row name a cluster again" in said
    assert "in no table of clusters, kept: 7" in reasons(session, "units", "units")


def test_a_merged_unit_sits_where_most_of_its_spikes_came_from(tmp_path):
    templates = np.zeros((3, 5, 2))
    templates[0, 2] = [-4, 1]  # channel 0 of its own two: channel 1 of the probe
    templates[1, 2] = [-1, 6]
    folder = write_folder(
        tmp_path / "ks", np.arange(6), [9, 9, 9, 0, 9, 12],
        spike_templates=[[1], [1], [0], [0], [1], [2]], templates=templates,
        templates_ind=[[1, 2], [0, 2], [0, 1]], channel_map=[10, 11, 12],
        channel_positions=[[0.0, 0.0], [5.0, 20.0], [7.0, 40.0]],
    )  # fmt: skip
    session = read_sorting_folder(folder)
    units = session.units
    np.testing.assert_array_equal(units["x"], [5.0, 7.0, np.nan])
    np.testing.assert_array_equal(units["depth"], [20.0, 40.0, np.nan])
    assert units["peak_channel"].values.tolist() == [11, 12, -1]
    assert "1 unit without a template" in everything(session)


def test_without_labels_there_is_no_quality_and_unneeded_files_are_listed(tmp_path):
    folder = write_folder(tmp_path / "ks", [1], [0], pc_features=[1.0], whitening_mat=[1.0])
    session = read_sorting_folder(folder, strict=True)
    assert "quality" not in session.units
    assert "no labels" in reasons(session, "units", "units")
    assert line_of(session, "other", "other files").found == 2
    assert "pc_features.npy, whitening_mat.npy" in reasons(session, "other", "other files")


@pytest.mark.fault(37)
@pytest.mark.parametrize("width", [0.001, 0.005, 0.02, 0.1])
def test_samples_on_a_bin_edge_fall_into_the_bin_that_starts_there(tmp_path, width):
    per_bin = round(width * RATE)
    edges = np.arange(0, 8 * 3600 * 30_000, per_bin * 997)  # eight hours
    samples = np.unique(np.concatenate([edges, edges[1:] - 1, edges + 1]))
    folder = write_folder(tmp_path / "ks", samples, np.zeros_like(samples))
    session = read_sorting_folder(folder)
    rate = session.units.attrs["samples_per_second"]
    np.testing.assert_array_equal(np.rint(session.spike_times * rate).astype(int), samples)
    n_bins = np.array([int(samples.max()) // per_bin + 1])
    bins = Grid(np.zeros(1), n_bins, width).index(session.spike_times)
    np.testing.assert_array_equal(bins, samples // per_bin)
