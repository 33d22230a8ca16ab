"""Options say what is to be known of them; adding one is one field."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nwbsparse
from nwbsparse.errors import BadInput
from nwbsparse.options.config import PER_MODEL, Config, shared_options
from nwbsparse.options.facts import facts_of, group_of

GROUPS = ("Reading", "Bins", "Model", "Training", "Explaining")
FIELD = '''
    loudness: float = option(0.5, above=0, below=3, {per_model}shapes_unless=0.5)
    """How loud latents are."""
'''
TRIED = """
import io, contextlib
from dataclasses import replace
from nwbsparse import Config
from nwbsparse.cli.app import app
from nwbsparse.options.config import shared_options
from nwbsparse.options.toml import read_toml, to_toml
from nwbsparse.errors import BadInput
config = Config(loudness=2.0)
open("run.toml", "w").write(to_toml(config))
assert read_toml("run.toml")["loudness"] == 2.0
try:
    Config(loudness=3.0)
except BadInput as error:
    assert "loudness is 3.0; it must lie between 0 and 3" in str(error), error
else:
    raise AssertionError("a value out of bounds is taken")
assert ("loudness" in shared_options(config)) != PER_MODEL
said = io.StringIO()
with contextlib.redirect_stdout(said):
    app(["config", "--loudness", "2.5"], exit_on_error=False, result_action="return_value")
assert "loudness = 2.5" in said.getvalue()
app(["run", "--help"], result_action="return_value")
"""


@pytest.mark.parametrize("per_model", [True, False])
def test_a_new_option_is_one_field(per_model, tmp_path):
    """A flag in its group, a TOML key, checked, and shared by a stack or not: all from one field."""
    package = tmp_path / "nwbsparse"
    shutil.copytree(Path(nwbsparse.__file__).parent, package)
    group = package / "options" / "coder.py"
    line = FIELD.format(per_model="per_model=True, " if per_model else "")
    group.write_text(group.read_text(encoding="utf-8") + line, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", TRIED.replace("PER_MODEL", str(per_model))],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    panel = done.stdout[done.stdout.index("─ Model ") :]
    assert "--loudness FLOAT" in panel[: panel.index("─ Training ")]
    assert "How loud latents are." in panel


def test_every_option_is_in_a_group():
    assert {group_of(Config, name) for name, _ in facts_of(Config) if name != "name"} == set(GROUPS)


def test_the_order_of_what_shapes_activations_is_that_of_coder_ids():
    """Ids are made of these in this order: a coder of last year must keep its own."""
    assert [name for name, facts in facts_of(Config) if facts.shapes_unless is not None] == [
        "nesting", "encoder", "window", "attention", "n_heads", "sparsifier", "decoder", "decoded",
        "lag", "smoothing", "smoothing_kernel", "transform",
    ]  # fmt: skip


def test_a_stack_may_differ_in_what_is_each_models_own():
    assert {"seed", "k", "learning_rate", "penalty_weight", "patience"} <= PER_MODEL
    shared = shared_options(Config())
    assert {"loss", "sparsifier", "order_seed", "mask", "smoothing_kernel"} & set(shared)
    assert not PER_MODEL & set(shared)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": 0}, "seeds is 0; it must be > 0"),
        ({"gap": -1.0}, "gap is -1.0; it must be 0 or more"),
        ({"test": 1.0}, "test is 1.0; it must lie between 0 and 1"),
        ({"mask": 1.0}, "mask is 1.0; it must be 0 or more, and below 1"),
        ({"seed": 2**63}, "it must be 0 or more, and below 2^63"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; it must be > 0"),
    ],
)
def test_what_is_out_of_bounds_is_said(options, words):
    with pytest.raises(BadInput, match="cannot work") as caught:
        Config(**options)
    assert words in str(caught.value)
