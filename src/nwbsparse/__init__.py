"""NWB in, sparse nameable latents out, NWB again.

The verbs are imported when first used: ``import nwbsparse`` loads neither torch nor pynwb.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nwbsparse.analysis.attribution import attribute as attribute
    from nwbsparse.analysis.confirm import confirm as confirm
    from nwbsparse.analysis.cosmooth import cosmooth as cosmooth
    from nwbsparse.analysis.decoding import decode as decode
    from nwbsparse.analysis.evaluate import evaluate as evaluate
    from nwbsparse.analysis.explain import explain as explain
    from nwbsparse.analysis.inference import encode as encode
    from nwbsparse.analysis.inference import reconstruct as reconstruct
    from nwbsparse.analysis.labels import labels_in_words as labels_in_words
    from nwbsparse.analysis.naik_scores import naik_scores as naik_scores
    from nwbsparse.analysis.stability import fit_seeds as fit_seeds
    from nwbsparse.analysis.stability import stability as stability
    from nwbsparse.analysis.transfer import transfer as transfer
    from nwbsparse.binning.for_coder import for_coder as for_coder
    from nwbsparse.binning.join import join_sessions as join_sessions
    from nwbsparse.binning.other_population import with_target as with_target
    from nwbsparse.binning.split import split as split
    from nwbsparse.binning.to_bins import to_bins as to_bins
    from nwbsparse.config import Config as Config
    from nwbsparse.curation import label as label
    from nwbsparse.embedded import with_embedding as with_embedding
    from nwbsparse.io.doctor import doctor as doctor
    from nwbsparse.io.reading import read as read
    from nwbsparse.io.share.bundle import bundle as bundle
    from nwbsparse.joint import run_sessions as run_sessions
    from nwbsparse.models.checkpoint import load as load
    from nwbsparse.models.checkpoint import save as save
    from nwbsparse.models.coder import SparseCoder as SparseCoder
    from nwbsparse.models.exports import export_dictionary_learning as export_dictionary_learning
    from nwbsparse.models.exports import export_saelens as export_saelens
    from nwbsparse.models.of_session import coder_of_session as coder_of_session
    from nwbsparse.of_sessions import results_of_sessions as results_of_sessions
    from nwbsparse.pipeline import run as run
    from nwbsparse.reproduction import reproduce as reproduce
    from nwbsparse.rescuing import rescue as rescue
    from nwbsparse.results import Results as Results
    from nwbsparse.results import open_activations as open_activations
    from nwbsparse.results import open_results as open_results
    from nwbsparse.results import write as write
    from nwbsparse.revisited import revisit as revisit
    from nwbsparse.session import Session as Session
    from nwbsparse.sklearn_api import SparseCoderTransformer as SparseCoderTransformer
    from nwbsparse.training.fit import fit as fit
    from nwbsparse.training.fit import fit_many as fit_many
    from nwbsparse.validation import validate as validate
    from nwbsparse.views.report import report as report

_WHERE = {
    "Config": "nwbsparse.config",
    "Results": "nwbsparse.results",
    "Session": "nwbsparse.session",
    "SparseCoder": "nwbsparse.models.coder",
    "SparseCoderTransformer": "nwbsparse.sklearn_api",
    "attribute": "nwbsparse.analysis.attribution",
    "bundle": "nwbsparse.io.share.bundle",
    "coder_of_session": "nwbsparse.models.of_session",
    "confirm": "nwbsparse.analysis.confirm",
    "cosmooth": "nwbsparse.analysis.cosmooth",
    "decode": "nwbsparse.analysis.decoding",
    "doctor": "nwbsparse.io.doctor",
    "encode": "nwbsparse.analysis.inference",
    "evaluate": "nwbsparse.analysis.evaluate",
    "explain": "nwbsparse.analysis.explain",
    "export_dictionary_learning": "nwbsparse.models.exports",
    "export_saelens": "nwbsparse.models.exports",
    "fit": "nwbsparse.training.fit",
    "fit_many": "nwbsparse.training.fit",
    "fit_seeds": "nwbsparse.analysis.stability",
    "for_coder": "nwbsparse.binning.for_coder",
    "join_sessions": "nwbsparse.binning.join",
    "label": "nwbsparse.curation",
    "labels_in_words": "nwbsparse.analysis.labels",
    "load": "nwbsparse.models.checkpoint",
    "naik_scores": "nwbsparse.analysis.naik_scores",
    "open_activations": "nwbsparse.results",
    "open_results": "nwbsparse.results",
    "read": "nwbsparse.io.reading",
    "reconstruct": "nwbsparse.analysis.inference",
    "report": "nwbsparse.views.report",
    "reproduce": "nwbsparse.reproduction",
    "rescue": "nwbsparse.rescuing",
    "results_of_sessions": "nwbsparse.of_sessions",
    "revisit": "nwbsparse.revisited",
    "run": "nwbsparse.pipeline",
    "run_sessions": "nwbsparse.joint",
    "save": "nwbsparse.models.checkpoint",
    "split": "nwbsparse.binning.split",
    "stability": "nwbsparse.analysis.stability",
    "to_bins": "nwbsparse.binning.to_bins",
    "transfer": "nwbsparse.analysis.transfer",
    "validate": "nwbsparse.validation",
    "with_embedding": "nwbsparse.embedded",
    "with_target": "nwbsparse.binning.other_population",
    "write": "nwbsparse.results",
}

__all__ = [
    "Config",
    "Results",
    "Session",
    "SparseCoder",
    "SparseCoderTransformer",
    "attribute",
    "bundle",
    "coder_of_session",
    "confirm",
    "cosmooth",
    "decode",
    "doctor",
    "encode",
    "evaluate",
    "explain",
    "export_dictionary_learning",
    "export_saelens",
    "fit",
    "fit_many",
    "fit_seeds",
    "for_coder",
    "join_sessions",
    "label",
    "labels_in_words",
    "load",
    "naik_scores",
    "open_activations",
    "open_results",
    "read",
    "reconstruct",
    "report",
    "reproduce",
    "rescue",
    "results_of_sessions",
    "revisit",
    "run",
    "run_sessions",
    "save",
    "split",
    "stability",
    "to_bins",
    "transfer",
    "validate",
    "with_embedding",
    "with_target",
    "write",
]

logging.getLogger("nwbsparse").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"nwbsparse has no {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
