"""What a bug report needs to know about a machine."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

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
