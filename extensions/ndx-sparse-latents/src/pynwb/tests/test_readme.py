"""The examples in the README run as they stand."""

import re
from pathlib import Path

from pynwb import validate

README = Path(__file__).parents[3] / "README.md"


def test_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    found = {}
    for example in examples:
        exec(compile(example, str(README), "exec"), found)
    assert found["values"].tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert validate(path="latents.nwb") == []
