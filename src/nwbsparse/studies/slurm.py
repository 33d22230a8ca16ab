"""A script for sbatch, to be looked at and changed before it is used."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence

from nwbsparse.errors import BadInput
from nwbsparse.studies.ledger import Ledger
from nwbsparse.studies.plan import FITS
from nwbsparse.studies.room import needed_bytes
from nwbsparse.studies.task import Task

USUAL = 4
"""GB of memory that are asked for as long as bins are not made, and nobody knows how many there are."""

_SCRIPT = """\
#!/bin/bash
# Each job does one share of the sweep in {folder}. A job that is killed can be queued
# again: what is done is done. Change what your cluster wants otherwise.
#SBATCH --job-name=nwbsparse-sweep
#SBATCH --array=0-{last}
#SBATCH --cpus-per-task={threads}
#SBATCH --mem={memory}G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output={log}
set -euo pipefail

# module load ... ; source .../bin/activate      (where nwbsparse is installed)
nwbsparse sweep work {quoted} --index "$SLURM_ARRAY_TASK_ID" --of {shares} --quiet

# afterwards: nwbsparse sweep status {quoted}; nwbsparse sweep report {quoted}
"""


def script(ledger: Ledger, tasks: Sequence[Task], *, shares: int) -> str:
    """The script of an array of jobs that do a sweep between them.

    Raises:
        BadInput: fewer than one job.
    """
    if shares < 1:
        raise BadInput(f"shares is {shares}; it must be 1 or more")
    stacks = [one for one in tasks if one.kind == FITS]
    known = [one for one in stacks if all(ledger.is_done(ledger.task(need)) for need in one.needs)]
    memory = max((needed_bytes(ledger, one) for one in known), default=0) / 1e9
    shares = min(shares, len(stacks))  # more would have nothing to do
    return _SCRIPT.format(
        folder=ledger.folder,
        quoted=shlex.quote(str(ledger.folder)),
        log=shlex.quote(str(ledger.folder / "job-%a.log")),
        last=shares - 1,
        shares=shares,
        threads=ledger.made_for["threads"],
        memory=math.ceil(2 * memory) if len(known) == len(stacks) else USUAL,
    )
