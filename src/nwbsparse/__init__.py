"""NWB in, sparse nameable latents out, NWB again.

The verbs are imported when first used (``__init__.pyi`` says from where): ``import nwbsparse``
loads neither torch nor pynwb.
"""

from __future__ import annotations

import logging
from typing import Any

import lazy_loader

_attached, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

logging.getLogger("nwbsparse").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"nwbsparse has no {name!r}; it has: {', '.join(__all__)}")
    return _attached(name)
