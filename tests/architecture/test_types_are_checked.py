"""While tests run, what functions say of their arguments is held: in rooms with shapes and without."""

import numpy as np
import pytest
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError

from nwbsparse.analysis.statistics.correlation import Channels
from nwbsparse.naming.listed_names import unquoted


def test_a_shape_that_is_not_the_stated_one_is_refused():
    with pytest.raises(TypeCheckError):
        Channels(np.zeros(3))


def test_a_type_that_is_not_the_stated_one_is_refused():
    with pytest.raises(BeartypeCallHintViolation):
        unquoted(3)
