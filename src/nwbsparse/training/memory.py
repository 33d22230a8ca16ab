"""What a training takes of memory, and how many models fit into one stack."""

from __future__ import annotations

from nwbsparse.models.coder import DTYPES, SparseCoder
from nwbsparse.models.device import available_bytes, check_memory, pick_device
from nwbsparse.training.bins import Windows

CACHE = 4_000_000
"""Bytes of pre-activations of a batch beyond which a CPU stack is trained in several parts: they
must stay in the cache, or every pass over them waits for memory."""
STACK_SHARE = 0.5
"""Share of a GPU's free memory that a stack may take: the rest is for the recording."""
TABLES, GPU_TABLES = 3, 32
"""Tables of a batch's pre-activations that an update holds at a time. On a GPU most of them are what
sorting the whole batch takes (measured)."""


def check_fits(coder: SparseCoder, windows: Windows, *, models: int) -> None:
    """Refuse a training for which there is not enough memory.

    Raises:
        EnvironmentProblem: with what is needed, what there is, and what to make smaller.
    """
    needed = needed_bytes(coder, windows, models=models)
    device = pick_device(coder.config.device)
    check_memory(needed, device, "use a smaller --batch-size, --n-latents or --window")


def needed_bytes(coder: SparseCoder, windows: Windows, *, models: int) -> int:
    """Roughly what training takes: weights four times, the best ones, a batch, and the data."""
    return models * _bytes_of_one(coder) + windows.n_bytes


def _bytes_of_one(coder: SparseCoder) -> int:
    config, architecture = coder.config, coder.architecture
    weights = sum(p.numel() * p.element_size() for p in coder.parameters())
    size = DTYPES[config.precision].itemsize
    rows = (config.batch_size or 1) * architecture.decoder.rows_per_bin
    seen = rows * architecture.window * coder.n_units
    tables = TABLES if pick_device(config.device).type == "cpu" else GPU_TABLES
    held = tables * rows * coder.n_latents + 4 * rows * architecture.n_values + 2 * seen
    batch = size * held
    return 5 * weights + batch


def members_at_once(coder: SparseCoder) -> int:
    """How many models of this shape are trained as one stack."""
    device = pick_device(coder.config.device)
    if device.type != "cpu":
        free = available_bytes(device) or 0
        return max(1, int(STACK_SHARE * free) // _bytes_of_one(coder))
    rows = (coder.config.batch_size or 1) * coder.architecture.decoder.rows_per_bin
    return max(1, CACHE // max(4 * rows * coder.n_latents, 1))
