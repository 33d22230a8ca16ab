"""What a bug report needs to know about a machine, and which models files hold."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "nwbsparse", "ndx-sparse-latents", "pynwb", "hdmf", "h5py", "numpy", "xarray", "torch",
    "scikit-learn", "scipy", "matplotlib",
)  # fmt: skip


def gather() -> dict[str, object]:
    """Versions, devices and threads, in plain values."""
    import torch

    facts: dict[str, object] = {"python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    facts["devices"] = devices
    facts["threads"] = torch.get_num_threads()
    return facts


def models_of(files: Iterable[Path]) -> dict[str, list[dict[str, object]]]:
    """{file: its results and which models they are}, in plain values."""
    from nwbsparse.share.identity import identities

    return {str(file): [vars(one) for one in identities(file)] for file in files}


def lines_of(held: list[dict[str, object]]) -> list[str]:
    """The results of one file in words, a line each."""
    if not held:
        return ["no sparse latents"]
    said = []
    for one in held:
        line = f"{one['name']}: model id {one['model_id']}, {one['n_latents']} latents of "
        line += f"{one['n_units']} units"
        if one["n_reconstructed"]:
            line += f", which reconstruct {one['n_reconstructed']} others"
        if one["session"]:
            line += f", session {one['session']} of {', '.join(one['sessions'])}"  # type: ignore[arg-type]
        said.append(f"{line}, made {one['created']}")
    return said
