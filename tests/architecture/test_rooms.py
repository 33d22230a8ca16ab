"""The house: what stands where, how large it is, and that no room runs in circles.

That rooms import downwards only is held by import-linter (``make lint``).
"""

import ast
import graphlib
import re
import tomllib

import pytest

from make.house import HOME, ROOT, imports, modules

KNOWN = modules()
ON_THE_GROUND = {
    *("__init__", "__main__", "deprecated", "errors", "names", "population", "progress", "query"),
    *("roles", "schema", "session"),
}
"""Modules beside the rooms; one more of floor 1 is ``whole_file``."""
RE_EXPORT = {"nwbsparse", "nwbsparse.results", "nwbsparse.views.plots"}
SAYS_NOTHING = {"utils", "util", "helpers", "common", "misc", "manager", "core"}
TEXTS = [
    path
    for folder in ("src", "tests", "benchmarks", "extensions")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def test_no_module_is_imported_by_what_it_imports():
    graph = {name: imports(name, path, KNOWN) for name, path in KNOWN.items()}
    assert "nwbsparse.options.config" in graph["nwbsparse.training.fit"], "imports are found"
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as found:
        pytest.fail(" → ".join(reversed(found.args[1])))


@pytest.mark.parametrize(
    "name", [name for name, path in KNOWN.items() if path.name == "__init__.py"]
)
def test_a_package_has_a_docstring_and_re_exports_nothing(name):
    body = ast.parse(KNOWN[name].read_text(encoding="utf-8"))
    assert ast.get_docstring(body)
    assert name in RE_EXPORT or len(body.body) == 1


@pytest.mark.parametrize("name", sorted(RE_EXPORT - {"nwbsparse"}))
def test_the_rooms_that_re_export_do_nothing_else(name):
    rest = ast.parse(KNOWN[name].read_text(encoding="utf-8")).body[1:]
    assert all(isinstance(one, ast.ImportFrom) or "__all__" in ast.unparse(one) for one in rest)


def test_beside_the_rooms_stand_only_what_all_of_them_share():
    assert {path.stem for path in HOME.glob("*.py")} - {"whole_file"} == ON_THE_GROUND
    folders = [path for path in HOME.iterdir() if path.is_dir() and any(path.rglob("*.py"))]
    assert [path.name for path in folders if not (path / "__init__.py").exists()] == []


def test_every_room_has_one_of_ten_floors():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [
        one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers"
    ]
    assert len(contract["layers"]) == 10
    assert contract["exhaustive"]
    listed = [one for floor in contract["layers"] for one in re.split(r"\s*[:|]\s*", floor)]
    there = {name.split(".")[1] for name in KNOWN if "." in name}
    assert sorted(one.strip("()") for one in listed if one.strip("()") in there) == sorted(there)
    wings = {one for one in listed if one not in there}
    assert {one for one in wings if not re.fullmatch(r"\(\w+\)", one)} == set()


def test_no_file_is_longer_than_400_lines():
    long = {
        str(path): n for path in TEXTS if (n := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_file_or_folder_has_a_name_that_says_nothing():
    parts = {path: {*path.relative_to(ROOT).with_suffix("").parts} for path in TEXTS}
    assert {str(path) for path, names in parts.items() if names & SAYS_NOTHING} == set()
