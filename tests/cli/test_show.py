"""What ``inspect`` prints of events: their labels, or that there are too many to keep apart."""

import io
import json

import numpy as np
from rich.console import Console

from nwbsparse.binning.describe import describe
from nwbsparse.cli.show import show_recording
from nwbsparse.io.read import read


def shown(seen):
    printed = io.StringIO()
    show_recording(Console(file=printed, width=200), seen)
    return printed.getvalue()


def test_events_are_shown_label_by_label_where_there_are_few():
    times = np.arange(1.0, 31.0)
    session = read(
        {1: np.arange(40.0)},
        events={
            "lick": (times, ["left", "right", ""] * 10),
            "note": (times, [f"[note] {n}" for n in range(30)]),
            "cue": times,
        },
    )
    seen = json.loads(json.dumps(describe(session)))
    assert seen["events"] == {"lick": 30, "note": 30, "cue": 30}
    assert seen["event_labels"]["lick"] == {"": 10, "left": 10, "right": 10}
    assert len(seen["event_labels"]["note"]) == 30 and seen["event_labels"]["cue"] == {}
    printed = shown(seen)
    assert "lick (events): 30: unlabelled (10), left (10), right (10)" in printed
    assert "note (events): 30: 30 different labels, counted together (more than 12)" in printed
    assert "cue (events): 30\n" in printed
