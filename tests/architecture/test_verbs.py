"""The verbs at the top: where they are made, that they say what they take, and stay what they are."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

import nwbsparse
from make.house import HOME

STUB = ast.parse((HOME / "__init__.pyi").read_text(encoding="utf-8"))
MADE_IN = {
    alias.name: f"nwbsparse.{node.module}"
    for node in STUB.body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
}


def test_the_stub_lists_what_it_imports_and_the_package_offers_that():
    [listed] = [ast.literal_eval(one.value) for one in STUB.body if isinstance(one, ast.Assign)]
    assert listed == sorted(MADE_IN) == sorted(nwbsparse.__all__)
    assert set(listed) <= set(dir(nwbsparse))


@pytest.mark.parametrize("name", MADE_IN)
def test_a_verb_is_made_where_the_stub_says_however_often_it_is_asked_for(name):
    verb = getattr(nwbsparse, name)
    assert callable(verb)
    assert verb is getattr(importlib.import_module(MADE_IN[name]), name)
    assert verb.__module__ == MADE_IN[name], "the stub names a module that only imports it"
    assert verb is getattr(nwbsparse, name)


@pytest.mark.parametrize("name", MADE_IN)
def test_a_verb_says_what_it_does_takes_and_gives(name):
    verb = getattr(nwbsparse, name)
    assert inspect.getdoc(verb)
    assert not inspect.getdoc(verb).startswith(f"{name}("), "a text, not the signature"
    if inspect.isclass(verb):
        methods = [
            one
            for key, one in vars(verb).items()
            if inspect.isfunction(one) and not key.startswith("_")
        ]
        assert [one.__name__ for one in methods if not inspect.getdoc(one)] == []
        return
    signature = inspect.signature(verb)
    assert signature.return_annotation is not inspect.Signature.empty
    untyped = [one.name for one in signature.parameters.values() if one.annotation is one.empty]
    assert untyped == []


@pytest.mark.files
def test_importing_every_module_hides_no_verb():
    code = (
        "import pkgutil, importlib, nwbsparse\n"
        "for one in pkgutil.walk_packages(nwbsparse.__path__, 'nwbsparse.'):\n"
        "    if not one.name.endswith('__main__'): importlib.import_module(one.name)\n"
        "print([n for n in nwbsparse.__all__ if not callable(getattr(nwbsparse, n))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_verb_is_answered_with_those_there_are():
    with pytest.raises(AttributeError, match="encode"):
        nwbsparse.encod  # noqa: B018
