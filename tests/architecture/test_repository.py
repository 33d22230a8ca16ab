"""What stands around the code: where newcomers begin, the changelog's fragments, forms and workflows."""

import importlib.util
import re
import tomllib

import pytest
from ruamel.yaml import YAML

from make.house import ROOT

TASKS = (
    *("reader", "null", "figure", "flag", "column in the NWB file", "metric", "preset"),
    *("simulated recording", "data check", "command"),
)
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def yaml(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def collector():
    path = ROOT / "changelog.d/collect.py"
    spec = importlib.util.spec_from_file_location("collect", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_tasks_of_a_newcomer_lead_to_one_file_each_that_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where would I add …?")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \| \[(.+?)\]\((.+?)\) \|", table, flags=re.M)
    assert len({path for _, _, path in rows}) == len(rows) >= len(TASKS) == 10
    for task in TASKS:
        assert sum(task in said for said, _, _ in rows) == 1, task
    for _, name, path in rows:
        assert (ROOT / path).is_file() and path.endswith(f"/{name}")


def test_every_fragment_of_the_changelog_is_of_a_known_kind_and_says_something():
    found = collector().fragments(ROOT / "changelog.d")
    files = [one for paths in found.values() for one in paths]
    assert {one.name for one in (ROOT / "changelog.d").iterdir()} - {
        *(one.name for one in files),
        *("README.md", "collect.py", "__pycache__"),
    } == set()
    assert [one.name for one in files if len(one.read_text(encoding="utf-8").split()) < 4] == []


def test_fragments_become_a_section_above_the_newest_and_a_strange_kind_is_refused(tmp_path):
    made = collector()
    (tmp_path / "b.added.md").write_text("A new thing.\n")
    (tmp_path / "a.fixed.md").write_text("No longer\nwrong.\n")
    (tmp_path / "README.md").write_text("not a fragment")
    found = made.fragments(tmp_path)
    text = made.collected("# Changelog\n\n## 0.1.0\n\n- old\n", "0.2.0", found)
    assert text == (
        "# Changelog\n\n## 0.2.0\n\nAdded:\n\n- A new thing.\n\nFixed:\n\n- No longer wrong.\n\n"
        "## 0.1.0\n\n- old\n"
    )
    waiting = made.collected("# Changelog\n\n## 0.2.0 (unreleased)\n\n- early\n", "0.2.0", found)
    assert waiting.endswith("- No longer wrong.\n\n- early\n") and waiting.count("0.2.0") == 1
    (tmp_path / "c.improved.md").write_text("x")
    with pytest.raises(SystemExit, match=r"c\.improved\.md: call it NAME\.KIND\.md"):
        made.fragments(tmp_path)


def test_the_version_is_the_same_wherever_it_stands():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert yaml(ROOT / "CITATION.cff")["version"] == settings["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, flags=re.M)[1] == settings["project"]["version"]


def steps(path):
    return [step for job in yaml(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=[one.name for one in WORKFLOWS])
def test_a_workflow_may_read_only_and_keeps_no_password(path):
    assert yaml(path)["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text(encoding="utf-8")


def test_ci_runs_what_is_run_here():
    assert ".ci/run" in [step.get("run") for step in steps(ROOT / ".github/workflows/ci.yml")]


def test_a_release_builds_both_packages_compares_the_tag_and_only_then_publishes():
    path = ROOT / ".github/workflows/release.yml"
    jobs = yaml(path)["jobs"]
    said = "\n".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert '"v$version" = "$GITHUB_REF_NAME"' in said
    assert "build --outdir dist/nwbsparse ." in said
    assert "build --outdir dist/ndx-sparse-latents extensions/ndx-sparse-latents" in said
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert "permissions" not in jobs["build"]


@pytest.mark.parametrize("path", FORMS, ids=[one.name for one in FORMS])
def test_a_form_says_what_it_is_for_and_asks_for_something(path):
    form = yaml(path)
    assert form["name"] and form["description"]
    ids = [one["id"] for one in form["body"]]
    assert len(set(ids)) == len(ids)
    assert any(one.get("validations", {}).get("required") for one in form["body"])
    commands = re.findall(r"`nwbsparse (\w+)", path.read_text(encoding="utf-8"))
    there = {one.stem for one in (ROOT / "src/nwbsparse/cli/commands").glob("*.py")}
    assert set(commands) <= there


def test_there_is_a_form_for_a_bug_a_file_and_a_question():
    assert [one.stem for one in FORMS] == ["bug", "question", "unread-file"]
    assert "nwbsparse info" in (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
