"""Which units a coder belongs to."""

import pytest

from coders import make_coder
from nwbsparse.errors import BadInput
from nwbsparse.models.record import CoderRecord
from nwbsparse.options.config import Config


def record(units=("1", "2", "3"), targets=None):
    return CoderRecord(Config(), units, 0.02, target_ids=targets)


@pytest.mark.fault(55)
def test_units_in_another_order_are_refused_and_others_counted():
    ours = record()
    ours.check_units([1, 2, 3])
    with pytest.raises(BadInput, match="another order"):
        ours.check_units(["2", "1", "3"])
    with pytest.raises(
        BadInput, match=r"trained on 3 units, the data hold 4, of which 2 are the same"
    ):
        ours.check_units(["2", "1", "8", "9"])
    for wrong in (["1", "2"], ["1", "2", "3", "3"], []):
        with pytest.raises(BadInput, match="trained on 3 units"):
            ours.check_units(wrong)


def test_a_coder_refuses_what_its_record_refuses():
    make_coder(n_units=2).check_units(["u0", "u1"])
    with pytest.raises(BadInput, match="another order"):
        make_coder(n_units=2).check_units(["u1", "u0"])


def test_two_populations_may_lie_in_the_data_in_any_order():
    ours = record(units=("a", "b"), targets=("x", "y", "z"))
    given = ["y", "b", "x", "a", "z"]
    ours.check_units(given)
    encoded, reconstructed = ours.columns(given)
    assert [given[column] for column in encoded] == ["a", "b"]
    assert [given[column] for column in reconstructed] == ["x", "y", "z"]


@pytest.mark.parametrize("given", [["a", "b"], ["a", "b", "x", "y"], ["a", "b", "x", "y", "z", "w"],
                                   ["a", "b", "x", "y", "z", "z"], ["a", "b", "x", "y", "w"]])  # fmt: skip
def test_of_two_populations_none_may_be_missing_or_strange(given):
    with pytest.raises(BadInput, match="trained on 5 units"):
        record(units=("a", "b"), targets=("x", "y", "z")).columns(given)


def test_one_population_has_the_same_columns_on_both_sides():
    assert record().columns(["1", "2", "3"]) == ([0, 1, 2], [0, 1, 2])
    with pytest.raises(BadInput, match="another order"):
        record().columns(["3", "2", "1"])
    assert record().targets == ("1", "2", "3")


@pytest.mark.fault(55)
def test_the_hash_knows_units_order_targets_and_where_a_name_ends():
    given = [("ab", "c"), ("a", "bc"), ("bc", "a"), ("a", "bc", "d")]
    hashes = [record(units=units).unit_hash for units in given]
    hashes += [
        record(units=("a", "bc"), targets=targets).unit_hash
        for targets in (("d",), ("e",), ("a", "bc"))
    ]
    assert len(set(hashes)) == len(hashes)
    assert record(units=("a", "bc")).unit_hash == hashes[1]
