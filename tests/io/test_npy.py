"""numpy's own files, untrusted: whatever is in them, an array or a BadInput, and nothing is run."""

import os
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nwbsparse.errors import BadInput
from nwbsparse.io.npy import load_npy, load_npz

BODY = np.arange(12, dtype=np.float64).tobytes()
FIELDS = {"descr": "'<f8'", "fortran_order": "False", "shape": "(12,)"}


def npy(header: bytes, *, version: bytes = b"\x01\x00", length: int | None = None) -> bytes:
    n = len(header) if length is None else length
    size = 2 if version == b"\x01\x00" else 4
    return b"\x93NUMPY" + version + (n % 256**size).to_bytes(size, "little") + header + BODY


def written(fields: dict[str, str]) -> bytes:
    said = "{" + ", ".join(f"'{key}': {value}" for key, value in fields.items()) + ", }"
    return said.encode("latin1", "replace").ljust(117) + b"\n"


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, at: Path):
        self.at = at

    def __reduce__(self):
        return os.mkdir, (str(self.at),)


def read_as_both(content: bytes) -> None:
    """Read bytes as an array file and as a member of an archive: an array, or BadInput."""
    with tempfile.TemporaryDirectory() as folder:
        alone, packed = Path(folder) / "a.npy", Path(folder) / "a.npz"
        alone.write_bytes(content)
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a.npy", content)
        for load, path in ((load_npy, alone), (load_npz, packed), (load_npz, alone)):
            try:
                made = load(path)
            except BadInput:
                continue
            else:
                arrays = [made] if isinstance(made, np.ndarray) else made[0].values()
                assert not any(array.dtype.hasobject for array in arrays)


LITERALS = st.sampled_from(
    [
        *("()", "(12", "12", "(-1,)", "(10**30,)", "(1000000000000000000000,)", "(0,)", "(2, 6)"),
        *("('a',)", "None", "[12]", "(12.0,)", "(True,)", "(12L,)", "{", "'", '"""', "\\", "lambda: 0"),
        *("'|O'", "'O'", "[('a', 'O')]", "[('a', '<f8')]", "['a']", "[1]", "('<f8', 2)", "'<f99'"),
        *("'<U3'", "'<M8[s]'", "'|V0'", "{'names': ['a'], 'formats': ['O']}", "__import__('os')"),
        *("(" * 300, "[" * 3000, "-" * 2000 + "1", "9" * 5000, "'\\d'", "1 if 0 else", "\x00", "é"),
    ]
)  # fmt: skip
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SETTINGS
@given(
    fields=st.dictionaries(st.sampled_from(list(FIELDS)), LITERALS),
    missing=st.sampled_from(["", *FIELDS]),
    version=st.sampled_from([b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"]),
    length=st.one_of(st.none(), st.integers(0, 2**20)),
)
def test_a_header_that_says_anything(fields, missing, version, length):
    said = {key: value for key, value in (FIELDS | fields).items() if key != missing}
    read_as_both(npy(written(said), version=version, length=length))


@SETTINGS
@given(
    at=st.integers(0, 140),
    junk=st.binary(min_size=1, max_size=30),
    cut=st.one_of(st.none(), st.integers(0, 220)),
)
def test_bytes_that_are_damaged_anywhere(at, junk, cut):
    sound = npy(written(FIELDS))
    read_as_both((sound[:at] + junk + sound[at + len(junk) :])[:cut])


@SETTINGS
@given(st.text(max_size=120))
def test_a_header_that_is_any_text(text):
    read_as_both(npy(text.encode("utf-8", "replace"), version=b"\x03\x00"))


def test_what_numpy_writes_is_read_as_it_is(tmp_path):
    for number, array in enumerate(
        (np.arange(6).reshape(2, 3), np.zeros((0, 4)), np.array(3.0), np.array(["a"]), BODY_T)
    ):
        np.save(tmp_path / f"{number}.npy", array)
        read = load_npy(tmp_path / f"{number}.npy")
        np.testing.assert_array_equal(read, array)
        assert read.dtype == array.dtype and not read.flags.writeable


BODY_T = np.asfortranarray(np.arange(6.0).reshape(2, 3))


def test_what_python_2_wrote_is_read(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy(written(FIELDS | {"shape": "(12L,)"})))
    assert load_npy(tmp_path / "a.npy").shape == (12,)


@pytest.mark.parametrize("how", ["bare", "objects", "fields", "claimed"])
def test_a_pickle_is_never_loaded(tmp_path, how):
    path, hostile = tmp_path / "a.npy", Hostile(tmp_path / "executed")
    if how == "bare":
        path.write_bytes(pickle.dumps(hostile))
    elif how == "claimed":
        path.write_bytes(npy(written(FIELDS | {"descr": "'|O'"}))[: -len(BODY)])
        with path.open("ab") as file:
            pickle.dump(np.array([hostile]), file)
    else:
        array = np.array([hostile], dtype=object)
        if how == "fields":
            array = np.array([(1.0, hostile)], dtype=[("x", "<f8"), ("y", "O")])
        np.save(path, array, allow_pickle=True)
    with pytest.raises(BadInput, match="never opened"):
        load_npy(path)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.write(path, "a.npy")
    arrays, refused = {}, {}
    try:
        arrays, refused = load_npz(tmp_path / "a.npz")
    except BadInput:
        assert how == "bare"
    assert not arrays and (how == "bare" or "can run code" in refused["a"])
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is missing"),
        (b"", "is empty: 0 bytes"),
        (b"a,b\n1,2\n", "is not a NumPy array file; anything else is never opened"),
        (b"PK\x03\x04", ".* with the name of an .npy file"),
        (npy(written(FIELDS))[:-1], "is damaged or incomplete"),
        (npy(written(FIELDS)).replace(b"}", b"(", 1), "is damaged or incomplete"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_that_the_caller_uses(tmp_path, content, said):
    path = tmp_path / "a.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=rf"{path} {said}"):
        load_npy(path)
    with pytest.raises(BadInput, match=rf"^spikes {said}"):
        load_npy(path, name="spikes")
    with pytest.raises(BadInput, match="cannot be read"):
        load_npy(tmp_path)


def test_a_header_that_is_too_long_is_no_pickle(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", npy(written(FIELDS).ljust(20_000), version=b"\x02\x00"))
    with pytest.raises(BadInput, match="not a complete"):
        load_npz(tmp_path / "a.npz")


def test_a_header_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path):
    path, n = tmp_path / "a.npz", 257 * 2**20
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        start = b"\x93NUMPY\x02\x00" + n.to_bytes(4, "little")
        with archive.open("a.npy", "w") as file:
            file.write(start)
            for _ in range(n // 2**20):
                file.write(b" " * 2**20)
    with pytest.raises(BadInput, match="decompression bomb"):
        load_npz(path)
