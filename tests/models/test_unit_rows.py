"""Rows of unit length, compiled or not."""

import pytest
import torch

from nwbsparse.models.sparse import unit_length as unit_rows

KINDS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
COMPILED = pytest.mark.parametrize("with_numba", [True, False])


def draw(*shape, dtype):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@KINDS
@COMPILED
def test_rows_get_unit_length_and_keep_their_direction(dtype, with_numba, monkeypatch):
    if not with_numba:
        monkeypatch.setattr(unit_rows, "compiled", lambda *_, **__: None)
    rows = 3 * draw(2, 5, 7, dtype=dtype)
    rows[1, 2] = 0.0
    expected = torch.nn.functional.normalize(rows, dim=2)
    unit_rows.normalise(rows)
    torch.testing.assert_close(rows, expected)


@KINDS
@COMPILED
def test_what_lies_along_a_row_goes_and_the_rest_stays(dtype, with_numba, monkeypatch):
    if not with_numba:
        monkeypatch.setattr(unit_rows, "compiled", lambda *_, **__: None)
    rows = torch.nn.functional.normalize(draw(2, 5, 7, dtype=dtype), dim=2)
    across = draw(2, 5, 7, dtype=dtype).roll(1, dims=1)
    across -= (across * rows).sum(dim=2, keepdim=True) * rows
    gradient = across + 4 * rows
    unit_rows.drop_parallel(gradient, rows)
    torch.testing.assert_close(gradient, across, rtol=1e-5, atol=1e-5)


def test_a_table_that_does_not_lie_contiguous_is_changed_all_the_same():
    wide = draw(2, 5, 14, dtype=torch.float64)
    rows = wide[:, :, ::2]
    unit_rows.normalise(rows)
    torch.testing.assert_close(
        torch.linalg.vector_norm(wide[:, :, ::2], dim=2), torch.ones(2, 5, dtype=torch.float64)
    )
