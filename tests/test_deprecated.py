"""Old names of parameters work as they did, and say what they are called now."""

import inspect
from contextlib import suppress

import numpy as np
import pytest

import nwbsparse as ns
from make.configs import plain_config
from make.sessions import make_binned
from nwbsparse.cli.app import COMMANDS
from nwbsparse.cli.former_flags import FORMER, with_new_flags
from nwbsparse.deprecated import renamed
from nwbsparse.errors import BadInput

QUICK = plain_config(n_latents=8, k=2, max_epochs=2)


@renamed(old="new", before="after")
def called(first, /, *, new=0, after=0):
    return first, new, after


def test_old_names_are_taken_with_a_warning_that_names_the_new_one():
    with pytest.warns(DeprecationWarning, match=r"called\(old=…\) is called new= now"):
        assert called(1, old=2) == (1, 2, 0)
    with pytest.warns(DeprecationWarning, match="called") as said:
        assert called(1, old=2, before=3) == (1, 2, 3)
    assert len(said) == 2


def test_both_names_at_once_and_unknown_ones_are_errors(recwarn):
    with pytest.raises(TypeError, match="got both old= and new="):
        called(1, old=2, new=3)
    with pytest.raises(TypeError, match="unexpected keyword"):
        called(1, odd=2)
    assert called(1, new=2) == (1, 2, 0) and not recwarn.list


def test_the_binned_argument_is_called_so_everywhere():
    for name in ns.__all__:
        verb = getattr(ns, name)
        if inspect.isfunction(verb):
            assert "data" not in inspect.signature(verb).parameters, name


def test_a_stored_result_is_chosen_by_result_everywhere():
    for verb in (
        ns.open_results,
        ns.open_activations,
        ns.revisit,
        ns.reproduce,
        ns.bundle,
        ns.label,
    ):
        given = inspect.signature(verb).parameters
        assert "result" in given and ("name" in given) == (verb is ns.label), verb


def test_lines_of_text_go_to_notify_and_under_its_old_name_too(made_once, tmp_path):
    absent, out = tmp_path / "absent.nwb", tmp_path / "out"
    for verb, given in {
        ns.run: (absent, out),
        ns.run_sessions: ([absent], out),
        ns.fit_recording: (absent, out),
        ns.write: (made_once, out / "made.nwb"),
        ns.label: (absent, 0),
        ns.reproduce: (absent,),
    }.items():
        parameters = inspect.signature(verb).parameters
        assert "notify" in parameters and "say" not in parameters, verb
        with (
            pytest.warns(DeprecationWarning, match=r"say=…\) is called notify= now"),
            suppress(BadInput, TypeError),  # label wants a text beside
        ):
            verb(*given, say=print)


def test_flags_by_their_old_names_say_the_new_one(capsys):
    assert with_new_flags(["report", "a.nwb", "--name=x"]) == ["report", "a.nwb", "--result=x"]
    assert with_new_flags(["write", "a.nwb", "--name", "x"]) == ["write", "a.nwb", "--result", "x"]
    assert capsys.readouterr().err.count("--name is called --result now") == 2
    for command in ("run", "label"):
        same = [command, "a.nwb", "--name", "x"]
        assert with_new_flags(same) == same
    assert with_new_flags([]) == [] and capsys.readouterr().err == ""


def test_every_command_that_chooses_a_result_takes_the_old_flag():
    for command in COMMANDS:
        given = inspect.signature(command).parameters
        assert ("result" in given and "name" not in given) == (command.__name__ in FORMER)


def test_verbs_take_the_old_name_of_the_binned_argument():
    binned = make_binned(np.random.default_rng(0).poisson(1.0, (1500, 6)).astype(np.uint8))
    with pytest.warns(DeprecationWarning, match="fit"):
        coder = ns.fit(data=binned, config=QUICK)
    assert coder.id == ns.fit(binned, QUICK).id
    with pytest.warns(DeprecationWarning, match="encode"):
        latents = ns.encode(coder, data=binned)
    assert latents.identical(ns.encode(coder, binned))
