"""Documents and decisions name only what there is: files, modules, commands, flags, options."""

import dataclasses
import importlib
import inspect
import re

import pytest

from make import documents
from make.documents import DOCUMENTS
from make.house import HOME, ROOT
from nwbsparse.cli.app import app
from nwbsparse.options.config import Config

OPTIONS = {one.name for one in dataclasses.fields(Config)}
OURS = ("nwbsparse", "ndx_sparse_latents")
PARTS = {path.stem for path in HOME.iterdir() if not path.name.startswith("_")}
OBJECTS = {"results", "session"}
"""Rooms and modules whose names are also those of objects in examples."""
FOLDERS = ("src/", "tests/", "benchmarks/", "docs/", "extensions/", ".ci/")


def flags_of_commands():
    """Command → its flags."""
    names = [name for name in app if not name.startswith("-")]
    found = {name: _flags(app[name]) for name in names}
    for name in found:
        if "*" in found[name]:  # takes options
            found[name] |= {"--config", "--preset"}
    return {name: given | {"--help"} for name, given in found.items()}


def _flags(command):
    """Those of a command, and of the commands below it."""
    own = set()
    if command.default_command is not None:  # else there are only those below it
        own = {flag for one in command.assemble_argument_collection() for flag in one.names}
    below = (_flags(command[name]) for name in command if not name.startswith("-"))
    return own.union(*below)


COMMANDS = flags_of_commands()
documented = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(one.relative_to(ROOT)) for one in DOCUMENTS]
)


def found_at(name):
    """The module of a dotted name or what lies in one, at any depth; None where there is none."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            found = getattr(found, part, None)
        return found
    return None


def resolves(name):
    """Whether a dotted name is a module or what lies in one."""
    return found_at(name) is not None


@documented
def test_links_lead_somewhere(document):
    text = documents.of(document)
    wrong = []
    for path, anchor in documents.links(text):
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (
            anchor and anchor not in documents.anchors(documents.of(target))
        ):
            wrong.append(f"{path}#{anchor}")
    assert wrong == []


@documented
def test_files_that_are_named_exist(document):
    text = documents.of(document)
    said = {one for one in re.findall(r"[\w./-]+", text) if one.startswith(FOLDERS)}
    said |= {one for one in documents.quoted(text) if re.fullmatch(r"[\w/.-]+\.py", one)}
    said = {one.rstrip(".") for one in said}
    places = (ROOT, HOME, HOME.parent, document.parent, ROOT / "benchmarks")
    assert {one for one in said if not any((place / one).exists() for place in places)} == set()


@documented
def test_modules_and_functions_that_are_named_exist(document):
    text = documents.of(document)
    said = set(re.findall(rf"\b(?:{'|'.join(OURS)})(?:\.[A-Za-z_]\w*)+", text))
    said |= {one for one in documents.imported(text) if one.startswith(OURS)}
    said |= {name for name, _ in documents.calls(text)}
    for one in documents.quoted(text):  # analysis.explain, options.config.Config(k=3)
        short = re.match(r"([a-z_]+)(?:\.\w+)+", one)
        is_file = re.fullmatch(r"\w+\.(py|nc)", one)
        if short and not is_file and short[1] in PARTS - OBJECTS:
            said.add(f"nwbsparse.{short[0]}")
    assert {one for one in said if not resolves(one)} == set()


def keywords(name):
    """The keywords that a function takes; None when it takes any."""
    given = inspect.signature(found_at(name)).parameters
    return None if any(one.kind is one.VAR_KEYWORD for one in given.values()) else set(given)


@documented
def test_calls_in_examples_use_keywords_that_there_are(document):
    wrong = {}
    for name, given in documents.calls(documents.of(document)):
        known = keywords(name)
        if known is not None and given - known:
            wrong[name] = given - known
    assert wrong == {}


@documented
def test_options_that_are_named_exist(document):
    text = documents.of(document)
    said = {
        key
        for one in re.findall(r"\bConfig\(([^()]*)\)", text)
        for key in re.findall(r"(\w+)=", one)
    }
    for table in re.findall(r"^\| option \|.*?\n\n", text, flags=re.S | re.M):
        first = [row.split("|")[1] for row in table.strip().split("\n")]
        said |= set(re.findall(r"`(\w+)`", " ".join(first)))
    assert said - OPTIONS == set()


@documented
def test_commands_and_their_flags_exist(document):
    wrong = []
    for words in documents.command_lines(documents.of(document)):
        if words[0] != "nwbsparse" or len(words) < 2:
            continue
        if words[1].startswith("--"):
            wrong += [] if words[1] in ("--help", "--version") else [" ".join(words)]
            continue
        if words[1] not in COMMANDS or documents.flags(words) - COMMANDS[words[1]]:
            wrong.append(" ".join(words))
    assert wrong == []


@documented
def test_flags_of_scripts_exist(document):
    wrong = []
    for words in documents.command_lines(documents.of(document)):
        scripts = [one for one in words if one.startswith("benchmarks/") and one.endswith(".py")]
        for script in scripts:
            source = documents.of(ROOT / script)
            wrong += [flag for flag in documents.flags(words) if f'"{flag}"' not in source]
    assert wrong == []


@documented
def test_flags_in_the_prose_are_those_of_a_command(document):
    text = documents.of(document)
    known = set().union(*COMMANDS.values())
    if document.is_relative_to(ROOT / "benchmarks"):
        scripts = "".join(documents.of(one) for one in (ROOT / "benchmarks").rglob("*.py"))
        known |= set(re.findall(r'"(--[\w-]+)"', scripts))
    said = [words for words in (one.split() for one in documents.quoted(text)) if words]
    loose = [words for words in said if words[0].startswith("--")]
    assert {flag for words in loose for flag in documents.flags(words)} - known == set()


@documented
def test_what_make_is_asked_for_is_in_the_makefile(document):
    targets = set(re.findall(r"^([\w-]+):", documents.of(ROOT / "Makefile"), flags=re.M))
    lines = documents.command_lines(documents.of(document))
    asked = {words[1] for words in lines if words[0] == "make" and len(words) > 1}
    assert asked - targets == set()
