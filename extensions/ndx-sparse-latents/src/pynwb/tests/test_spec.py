"""The committed specification is the generated one, and it is sound."""

import subprocess
import sys
from pathlib import Path

import yaml

import ndx_sparse_latents

ROOT = Path(__file__).parents[3]
FILES = ["ndx-sparse-latents.namespace.yaml", "ndx-sparse-latents.extensions.yaml"]


def test_committed_yaml_is_what_the_script_writes(tmp_path):
    script = ROOT / "src" / "spec" / "create_extension_spec.py"
    subprocess.run([sys.executable, "-B", script, tmp_path], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (tmp_path / name).read_text() == (ROOT / "spec" / name).read_text()


def test_specification_follows_the_nwb_language():
    # In a process of its own, because hdmf's validator leaves files open and warns.
    validator = [sys.executable, "-m", "hdmf.testing.validate_spec"]
    subprocess.run([*validator, "spec", "-m", "nwb.schema.json"], cwd=ROOT, check=True)


def test_every_type_is_exported_and_versions_agree():
    types = yaml.safe_load((ROOT / "spec" / FILES[1]).read_text())["groups"]
    names = {one["neurodata_type_def"] for one in types}
    assert names == {name for name in ndx_sparse_latents.__all__ if name[0].isupper()}
    namespace = yaml.safe_load((ROOT / "spec" / FILES[0]).read_text())["namespaces"][0]
    assert namespace["version"] == ndx_sparse_latents.__version__
    assert f'version = "{namespace["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert f"version: {namespace['version']}" in (ROOT / "ndx-meta.yaml").read_text()
