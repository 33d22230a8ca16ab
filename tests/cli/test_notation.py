"""Flags in small languages of their own, where names hold the sign that the language uses."""

import pytest

from nwbsparse.cli.notation import cut, pair
from nwbsparse.errors import BadInput

KNOWN = ["speed", "a=b", "a", "left, right", "x,y"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("speed", ("speed", None)),
        ("speed=4", ("speed", 4)),
        ("speed = 0,5,20", ("speed", [0, 5, 20])),
        ("a=b", ("a=b", None)),
        ("a=b=4", ("a=b", 4)),
        ("a=4", ("a", 4)),
        ("'c=d'=3", ("c=d", 3)),
        ('"c=d"', ("c=d", None)),
        ("left, right", ("left, right", None)),
    ],
)
def test_a_condition_is_a_name_and_where_it_is_cut(said, found):
    assert cut(said, KNOWN) == found


@pytest.mark.parametrize(
    ("said", "sign", "found"),
    [
        ("speed=shift", "=", ("speed", "shift")),
        ("a=b=trials", "=", ("a=b", "trials")),
        ("'c=d'=trials", "=", ("c=d", "trials")),
        ("a=b", "=", ("a", "b")),
        ("speed,a", ",", ("speed", "a")),
        ("speed,x,y", ",", ("speed", "x,y")),
        ("x,y,left, right", ",", ("x,y", "left, right")),
        ("'p, q',\"r, s\"", ",", ("p, q", "r, s")),
    ],
)
def test_a_pair_is_two_names(said, sign, found):
    known = KNOWN if said != "a=b" else ["a"]
    assert pair(said, sign, "A,B", known) == found


@pytest.mark.parametrize("said", ["speed", "speed,", ",speed", "speed,p,q"])
def test_what_is_no_pair_is_refused_with_what_to_write(said):
    with pytest.raises(
        BadInput, match="write --conjunction A,B, and in quotes a name that holds ','"
    ):
        pair(said, ",", "--conjunction A,B", KNOWN)


def test_edges_that_are_no_numbers_are_refused():
    with pytest.raises(BadInput, match=r"quantiles or edges.*stands in quotes"):
        cut("c=d=4", KNOWN)
