"""Names that are nearly alike mean different things, or there is a reason; the glossary leads somewhere.

Two parameters of public functions that differ by a letter or two, by the order of their letters or by
an s are easily mistaken for each other; so are two files of one name in neighbouring rooms.
"""

import inspect
import re
from collections import defaultdict
from itertools import combinations

import pytest

import nwbsparse as ns
from make import documents
from make.house import HOME, ROOT

SEVERAL = "one, and several of them"
A_NUMBER = "things or a choice, and how many there are"
OTHER_WORDS = "words of the language that mean other things and stand in no one call"
ALIKE = {
    ("X", "k"): "X as everywhere in scikit-learn",
    ("X", "y"): "X and y as everywhere in scikit-learn",
    ("k", "y"): "k of top-k; y as in the papers and in scikit-learn",
    ("bandwidth", "bin_width"): "the kernel's, as its paper calls it, and that of a bin",
    ("behaviour", "behaviours"): "a file that is joined; names of variables",
    ("blocks", "n_blocks"): "of the split; of a transformer, called as in the papers",
    ("change", "changes"): "what is put at a site; options that become others",
    ("coder", "coders"): SEVERAL,
    ("config", "configs"): SEVERAL,
    ("decoded", "decoder"): "which bins, and by what",
    ("decoder", "encoder"): "the two halves of an autoencoder",
    ("detach", "detail"): OTHER_WORDS,
    ("duplicates", "replicates"): OTHER_WORDS,
    ("head", "heads"): SEVERAL,
    ("heads", "reads"): OTHER_WORDS,
    ("extent", "latent"): OTHER_WORDS,
    ("lab", "lag"): OTHER_WORDS,
    ("labels", "levels"): OTHER_WORDS,
    ("latent", "latents"): SEVERAL,
    ("latents", "n_latents"): A_NUMBER,
    ("level", "levels"): SEVERAL,
    ("made", "mode"): OTHER_WORDS,
    ("mode", "model"): OTHER_WORDS,
    ("record", "report"): "how a coder came to be; the account of a read",
    ("result", "results"): "the name of one in a file; all about one model",
    ("result", "resume"): OTHER_WORDS,
    ("row", "rows"): "a unit's number; whether rows of a dictionary have unit length",
    ("seed", "seeds"): "the first, and how many: documented with the options",
    ("series", "species"): "both as NWB calls them",
    ("session", "sessions"): SEVERAL,
    ("source", "sources"): SEVERAL,
    ("target", "targets"): "other units to reconstruct; variables to decode",
    ("traces", "trains"): "fluorescence over time; spikes of a unit",
}
"""Pairs that may stand, each with the reason."""
SAME_FILE_NAME = {
    ("annotated/record.py", "models/record.py"): "the record of a coder, and as a file holds it",
    ("binning/grid.py", "studies/grid.py"): "where bins lie in time; which options are tried",
    ("cli/commands/info.py", "cli/info.py"): "a command, and what it gathers",
    ("cli/findings.py", "share/findings.py"): "findings printed, and as a file holds them",
    ("io/arrays/activity.py", "io/nwb/activity.py"): "the same thing of two kinds of sources",
    ("io/arrays/intervals.py", "io/nwb/intervals.py"): "the same thing of two kinds of sources",
    ("io/arrays/intervals.py", "io/rules/intervals.py"): "of a source, and what sources share",
    ("io/nwb/clock.py", "io/rules/clock.py"): "of a source, and what sources share",
    ("io/nwb/columns.py", "io/rules/columns.py"): "of a source, and what sources share",
    ("io/nwb/intervals.py", "io/rules/intervals.py"): "of a source, and what sources share",
    ("io/nwb/read.py", "io/read.py"): "the verb, and the reader of one kind of source",
    ("io/nwb/units.py", "io/rules/units.py"): "of a source, and what sources share",
    ("models/coder.py", "options/coder.py"): "a coder, and its options",
    ("options/words.py", "views/words.py"): "words of options; numbers in words",
    ("runs/plan.py", "studies/plan.py"): "what a run would do; what there is to do for a sweep",
    ("runs/prepare.py", "training/prepare.py"): "a session to bins; bins to coders",
    ("views/plots/populations.py", "views/report/populations.py"): "drawn, and said in the report",
    ("views/plots/quality.py", "views/report/quality.py"): "drawn, and said in the report",
}
ENTRY = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \| \[[^\]]+\]\(([^)]+)\) \|$", flags=re.M)
GLOSSARY = ROOT / "docs/reference/glossary.md"


def parameters():
    """Names of parameters of public functions and methods, with where they are taken."""
    found = defaultdict(set)
    for name in ns.__all__:
        verb = getattr(ns, name)
        taken = [(name, verb)]
        if inspect.isclass(verb):
            taken += [
                (f"{name}.{key}", one)
                for key, one in inspect.getmembers(verb, inspect.isroutine)
                if not key.startswith("_")
                and callable(one)  # Python 3.13 counts cached properties among routines
                and getattr(one, "__module__", "").startswith("nwbsparse")
            ]
        for where, one in taken:
            for parameter in inspect.signature(one).parameters:
                found[parameter].add(where)
    return {name: where for name, where in found.items() if name != "self"}


def apart(first, second):
    """Letters to change, add or take away."""
    before = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        now = [i]
        for j, b in enumerate(second, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (a != b)))
        before = now
    return before[-1]


def nearly_alike(first, second):
    """One letter in short words, two in long ones; the same letters; singular and plural."""
    few = 2 if min(len(first), len(second)) >= 6 else 1
    return sorted(first) == sorted(second) or apart(first, second) <= few


@pytest.mark.parametrize(
    ("first", "second", "is_so"),
    [
        ("n_latent", "n_latents", True), ("bin_size", "bins_size", True), ("unit", "tuin", True),
        ("smoothing", "smoothin", True), ("coder", "model", False), ("mask", "sign", False),
    ],
)  # fmt: skip
def test_what_nearly_alike_means(first, second, is_so):
    assert nearly_alike(first, second) == is_so


def test_parameters_that_are_nearly_alike_have_a_reason():
    found = parameters()
    pairs = {pair for pair in combinations(sorted(found), 2) if nearly_alike(*pair)}
    unknown = {pair: [sorted(found[one])[:3] for one in pair] for pair in pairs - ALIKE.keys()}
    assert unknown == {}
    assert ALIKE.keys() - pairs == set(), "a reason for what is gone"


def test_neighbouring_rooms_have_no_files_of_one_name_without_a_reason():
    files = defaultdict(list)
    for path in HOME.rglob("*.py"):
        if path.name != "__init__.py":
            files[path.name].append(path.relative_to(HOME))
    pairs = set()
    for held in files.values():
        for first, second in combinations(sorted(held, key=str), 2):
            one, other = first.parent, second.parent
            if one.parent == other.parent or one == other.parent or other == one.parent:
                pairs.add((first.as_posix(), second.as_posix()))
    assert pairs - SAME_FILE_NAME.keys() == set()
    assert SAME_FILE_NAME.keys() - pairs == set(), "a reason for what is gone"


def test_every_word_of_the_glossary_stands_where_it_is_said_to_be_defined():
    entries = ENTRY.findall(documents.of(GLOSSARY))
    assert len(entries) > 50
    assert len({word for word, _, _ in entries}) == len(entries), "one line per word"
    missing = []
    for word, _, path in entries:
        text = documents.of((GLOSSARY.parent / path).resolve()).lower()
        said = word.lower().replace("²", "2")
        spelled = (said, said.replace(" ", "_"), said.replace("-", "_"), re.sub("[ -]", "_", said))
        if not any(one in text for one in spelled):
            missing.append((word, path))
    assert missing == []


def test_the_glossary_has_the_dims_and_the_words_that_everything_is_named_by():
    words = {word for word, _, _ in ENTRY.findall(documents.of(GLOSSARY))}
    assert {
        *("unit", "latent", "covariate", "condition", "activation", "dictionary", "level"),
        *("segment", "lag", "bin_width", "group", "again", "recurrence", "hidden-unit R²"),
    } <= words
