"""The sentence about a name that does not exist."""

import pytest

from nwbsparse.errors import SHOWN, BadInput, unknown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"what": "covariate"},
            "there is no covariate 'sped'; did you mean 'speed'? (there are: speed, place)",
        ),
        ({"what": ""}, "there is no 'sped'; did you mean 'speed'? (there are: speed, place)"),
        (
            {"what": "column", "of": "trials", "where": "a.nwb", "more": "Choose one"},
            "a.nwb: trials has no column 'sped'; did you mean 'speed'?; it has speed, place. "
            "Choose one",
        ),
    ],
)
def test_it_says_what_is_near_and_what_there_is(given, said):
    error = unknown("sped", ["speed", "place"], **given)
    assert isinstance(error, BadInput) and str(error) == said


def test_of_nothing_and_of_many():
    assert str(unknown("a", (), what="unit")) == "there is no unit 'a' (there are: none)"
    many = str(unknown("a", range(SHOWN + 1000), what="unit"))
    assert many.endswith(f"{SHOWN - 1} and 1,000 more)")
    assert "did you mean '4'" in str(unknown(44, (4, 5), what="unit"))
