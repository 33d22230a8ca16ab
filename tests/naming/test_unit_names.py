"""What units are called where ids repeat."""

import numpy as np
import pytest

from nwbsparse.naming.unit_names import names_of_units, own_id


@pytest.mark.parametrize(
    ("ids", "called"),
    [
        ([1, 1, 1], ["1 (row 0)", "1 (row 1)", "1 (row 2)"]),
        ([0, 1, 2, 0, 1], ["0 (row 0)", "1 (row 1)", "2", "0 (row 3)", "1 (row 4)"]),
        (["a", "b", "a"], ["a (row 0)", "b", "a (row 2)"]),
        (["1", "1", "1 (row 0)"], ["1 (row 0)", "1 (row 1)", "1 (row 0) (row 2)"]),
    ],
)
def test_no_two_units_are_called_alike(ids, called):
    found = names_of_units(np.array(ids))
    assert found.tolist() == called
    assert [own_id(one) for one in found] == [str(one) for one in ids]


@pytest.mark.parametrize("ids", [[3, 1, 2], ["x", "y"], []])
def test_ids_that_do_not_repeat_stay_what_they_are(ids):
    ids = np.array(ids)
    assert names_of_units(ids) is ids


def test_rows_are_those_of_the_table_where_some_were_left_out():
    found = names_of_units(np.array([1, 1, 2]), np.array([0, 7, 9]))
    assert found.tolist() == ["1 (row 0)", "1 (row 7)", "2"]
    planes = names_of_units(np.array([1, 1]), np.array([3, 3]))  # of two tables
    assert planes.tolist() == ["1 (row 0)", "1 (row 1)"]
