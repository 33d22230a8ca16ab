"""NWB types for sparse latent models of neural populations.

Import this package before any NWB file is opened: types registered later are written empty by an
IO object that exists already.
"""

from pathlib import Path
from typing import Any

import pynwb

__version__ = "0.2.1"

_NAMESPACE = "ndx-sparse-latents"


def _namespace_file() -> Path:
    """Find the specification: inside an installed package, or at the top of a checkout."""
    here = Path(__file__).resolve()
    name = f"{_NAMESPACE}.namespace.yaml"
    installed = here.parent / "spec" / name
    return installed if installed.exists() else here.parents[3] / "spec" / name


# hdmf's argument checker hides the signatures of these functions from type checkers.
_load_namespaces: Any = pynwb.load_namespaces
_get_class: Any = pynwb.get_class

_load_namespaces(str(_namespace_file()))

PopulationTable = _get_class("PopulationTable", _NAMESPACE)
LatentsTable = _get_class("LatentsTable", _NAMESPACE)
VariablesTable = _get_class("VariablesTable", _NAMESPACE)
ModelMetricsTable = _get_class("ModelMetricsTable", _NAMESPACE)
CandidatesTable = _get_class("CandidatesTable", _NAMESPACE)
SourceSessionsTable = _get_class("SourceSessionsTable", _NAMESPACE)
LatentActivationSeries = _get_class("LatentActivationSeries", _NAMESPACE)
SparseLatentActivations = _get_class("SparseLatentActivations", _NAMESPACE)
LatentAttribution = _get_class("LatentAttribution", _NAMESPACE)
SparseLatentModel = _get_class("SparseLatentModel", _NAMESPACE)

from .provenance import check_source  # noqa: E402
from .reading import bin_times, to_dense, to_scipy, window  # noqa: E402

__all__ = [
    "CandidatesTable",
    "LatentActivationSeries",
    "LatentAttribution",
    "LatentsTable",
    "ModelMetricsTable",
    "PopulationTable",
    "SourceSessionsTable",
    "SparseLatentActivations",
    "SparseLatentModel",
    "VariablesTable",
    "bin_times",
    "check_source",
    "to_dense",
    "to_scipy",
    "window",
]
