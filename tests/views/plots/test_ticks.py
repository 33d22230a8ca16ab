"""Tick labels of the figures of a report: none lies on another."""

from __future__ import annotations

import base64

import numpy as np

from nwbsparse.views.drawing import axes, data_uri, tidy


def words_of(uri: str) -> str:
    return base64.b64decode(uri.split(",")[1]).decode()


def test_of_two_labels_on_one_spot_the_first_is_shown() -> None:
    ax = tidy(axes(None, (4.0, 2.0)))
    ax.set_xlim(0, 100)
    ax.set_xticks([10, 64, 66], ["ten", "sixty-four", "sixty-six"])
    drawn = words_of(data_uri(ax))
    assert ">ten<" in drawn and ">sixty-four<" in drawn and ">sixty-six<" not in drawn


def test_labels_of_neighbouring_panels_do_not_meet() -> None:
    ax = axes(None, (4.0, 2.0))
    ax.set_axis_off()
    for left, said in ((0.0, "first"), (0.5, "second")):
        one = tidy(ax.inset_axes((left, 0.2, 0.49, 0.7)))
        one.set_xlim(0, 1)
        one.set_xticks([0, 1], [f"{said} begins", f"{said} ends"])
    drawn = words_of(data_uri(ax))
    assert ">first ends<" in drawn and ">second begins<" not in drawn and ">second ends<" in drawn


def test_labels_that_have_room_all_stay() -> None:
    ax = tidy(axes(None, (4.0, 2.0)))
    ax.plot(np.arange(5), np.arange(5))
    ax.set_xticks(range(5), [f"at {one}" for one in range(5)])
    drawn = words_of(data_uri(ax))
    assert all(f">at {one}<" in drawn for one in range(5))
