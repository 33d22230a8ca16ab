"""The examples in the README run as they stand, and its figure is true."""

import re
from pathlib import Path

import yaml
from pynwb import validate

import ndx_sparse_latents
from ndx_sparse_latents import testing

README = Path(__file__).parents[3] / "README.md"
SPEC = README.parent / "spec"


def test_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    found = {}
    for example in examples:
        exec(compile(example, str(README), "exec"), found)
    assert found["values"].tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert validate(path="latents.nwb") == []


def in_the_figure():
    """What hangs on the model: name → (type or "", optional); and types of any name."""
    figure = re.search(r"```\nSparseLatentModel (.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert figure
    named, unnamed = {}, set()
    for line in figure[1].splitlines():
        hangs = re.match(r"[├└]── (.*)", line)
        if not hangs:
            continue
        left, _, right = re.sub(r"\? ", "?  ", hangs[1], count=1).partition("  ")
        kind = re.match(r"\s*([A-Z][A-Za-z]+[a-z])\b", right)
        kind = kind[1] if kind else ""
        if left == "*":
            unnamed.add(kind)
            continue
        beside = re.search(r"\(([\w?, ]+)\)$", right)
        beside = beside[1].split(", ") if beside and not kind else []
        names = [*left.split(", "), *beside]
        for name in names:
            named[name.removesuffix("?")] = (kind, name.endswith("?"))
    return named, unnamed


def test_the_figure_of_the_types_is_the_specification():
    spec = yaml.safe_load((SPEC / "ndx-sparse-latents.extensions.yaml").read_text())["groups"]
    (model,) = (one for one in spec if one["neurodata_type_def"] == "SparseLatentModel")
    named, unnamed = {}, set()
    for part in [*model["datasets"], *model["groups"]]:
        kind = part.get("neurodata_type_inc", "")
        if "name" in part:
            named[part["name"]] = (kind, part.get("quantity", 1) == "?")
        else:
            assert part["quantity"] == "*"
            unnamed.add(kind)
    assert in_the_figure() == (named, unnamed)
    defined = {one["neurodata_type_def"] for one in spec} - {"SparseLatentModel"}
    drawn = unnamed | {kind for kind, _ in named.values()}
    assert defined <= drawn


def test_every_mock_is_in_the_model_that_is_written_and_validated(models):
    """What `testing` builds is what the other tests write, read back and validate."""
    made = {one for one in testing.__all__ if re.match("mock_[A-Z]", one)} - {"mock_NWBFile"}
    held = {type(models["sae"]).__name__}
    held |= {type(one).__name__ for one in models["sae"].all_children()}
    assert {one.removeprefix("mock_") for one in made} <= held
    types = {one for one in ndx_sparse_latents.__all__ if one[0].isupper()}
    assert types == {one.removeprefix("mock_") for one in made}
