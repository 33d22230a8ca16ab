"""Where training runs, and whether it fits there."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from nwbsparse.errors import BadInput, EnvironmentProblem


def pick_device(wanted: str) -> torch.device:
    """The device asked for; 'auto' takes CUDA where there is one, else the CPU.

    Raises:
        BadInput: the device does not exist here.
    """
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted == "auto":
        return torch.device("cuda" if available["cuda"] else "cpu")
    if not available.get(wanted, False):
        here = ", ".join(name for name, there in available.items() if there)
        raise BadInput(f"device '{wanted}' is not available here; there is: {here}")
    return torch.device(wanted)


def check_memory(needed: int, device: torch.device, advice: str) -> None:
    """Refuse work that cannot fit, before anything of it is allocated.

    Raises:
        EnvironmentProblem: more bytes are needed than the device has left.
    """
    have = available_bytes(device)
    if have is not None and needed > have:
        raise EnvironmentProblem(
            f"training needs about {needed / 1e9:.1f} GB on {device.type}, {have / 1e9:.1f} GB are "
            f"free; {advice}"
        )


def available_bytes(device: torch.device) -> int | None:
    """Memory that is free on a device, in bytes; None where nobody can tell."""
    if device.type == "cuda":
        # torch keeps what earlier trainings took, and gives it to the next one
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    found = [
        value for value in (_system(), _control_group(), _address_space()) if value is not None
    ]
    return min(found) if found else None


def _system() -> int | None:
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    if "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _control_group() -> int | None:
    """What a container may still take (cgroup v2)."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if limit == "max" else int(limit) - used


def _address_space() -> int | None:
    """What ``ulimit -v`` still allows."""
    try:
        import resource
    except ImportError:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return limit - used
