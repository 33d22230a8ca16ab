"""The verbs at the top: each is what its name says, also after everything else was imported."""

import importlib
import subprocess
import sys

import pytest

import nwbsparse


@pytest.mark.parametrize("name", nwbsparse.__all__)
def test_a_verb_is_callable_however_often_it_is_asked_for(name):
    assert callable(getattr(nwbsparse, name))
    importlib.import_module(nwbsparse._WHERE[name])
    assert callable(getattr(nwbsparse, name))


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
