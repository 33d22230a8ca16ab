"""What the phases of a long training found, kept in a folder until the whole is done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nwbsparse.errors import BadInput
from nwbsparse.files.whole import remove_unfinished, write_whole
from nwbsparse.options.config import Config
from nwbsparse.training.consensus import Consensus
from nwbsparse.training.saved import FILE
from nwbsparse.training.train import digest_of_bins

PHASES = "phases.json"
_OURS = re.compile(r"(seeds|refit)-\d+")
"""Folders of the trainings of phases."""


class Phases:
    """The results of phases that are over, and the place of the one that is going on.

    Args:
        folder: where they are kept; None: nowhere, and a training that is stopped begins anew.
        data: what is learned from.
        config: options as they were asked.
        target: what is reconstructed, where it is another dataset.
        resume: go on from what the folder holds; otherwise that is taken away.

    Raises:
        BadInput: what the folder holds is of other options or data.
    """

    def __init__(
        self,
        folder: Path | None,
        binned: Any,
        config: Config,
        *,
        target: Any = None,
        resume: bool,
    ) -> None:
        self.folder, self.resume = folder, resume
        self.identity: dict[str, Any] = {}
        self.found: dict[str, Any] = {}
        if folder is None:
            return
        self.identity = {
            "options": config.to_dict(),
            "bins": digest_of_bins(binned, config, target),
        }
        path = folder / PHASES
        remove_unfinished(path)
        if not resume:
            self.done()
        elif path.is_file():
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["identity"] != self.identity:
                raise BadInput(
                    f"{path} is of a training with other options or on other bins; use the same, "
                    "or begin anew in another folder"
                )
            self.found = stored["found"]

    def known(self, phase: str) -> Any:
        """What a phase found before; an empty list if it did not begin."""
        return self.found.get(phase, [])

    def keep(self, phase: str, found: Any) -> None:
        """Store what a phase found so far."""
        self.found[phase] = found
        if self.folder is not None:
            words = {"identity": self.identity, "found": self.found}
            write_whole(self.folder / PHASES, json.dumps(words).encode())

    def consensus(self, replicate: int) -> Consensus | None:
        """The consensus of a replicate, if it was found before."""
        stored = self.found.get(f"consensus-{replicate}")
        if stored is None:
            return None
        return Consensus(*(np.array(stored[key]) for key in ("rows", "recurrence", "level")))

    def keep_consensus(self, replicate: int, found: Consensus) -> None:
        """Store the consensus of a replicate: float64 as text comes back to the last bit."""
        self.keep(f"consensus-{replicate}", {key: v.tolist() for key, v in vars(found).items()})

    @contextmanager
    def training(self, phase: str) -> Iterator[dict[str, Any]]:
        """Where a training of this phase saves itself and goes on from, as ``train`` takes it."""
        if self.folder is None:
            yield {}
            return
        place = self.folder / phase
        assert _OURS.fullmatch(phase)
        yield {"checkpoint": place, "resume": self.resume}

    def done(self) -> None:
        """Take away what was kept: the coder is there."""
        if self.folder is None:
            return
        (self.folder / PHASES).unlink(missing_ok=True)
        for path in self.folder.glob(f"*/{FILE}"):
            if _OURS.fullmatch(path.parent.name):  # other trainings may lie beside
                path.unlink()
                path.parent.rmdir()
