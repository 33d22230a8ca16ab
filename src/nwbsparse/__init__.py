"""NWB in, sparse nameable latents out, NWB again.

The verbs are imported when first used: ``import nwbsparse`` loads neither torch nor pynwb.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nwbsparse.analysis.apply.encode import encode as encode
    from nwbsparse.analysis.apply.encode import reconstruct as reconstruct
    from nwbsparse.analysis.behaviour.confirm import confirm as confirm
    from nwbsparse.analysis.behaviour.labels import labels_in_words as labels_in_words
    from nwbsparse.analysis.decoding.decode import decode as decode
    from nwbsparse.analysis.explain import explain as explain
    from nwbsparse.analysis.quality.cosmooth import cosmooth as cosmooth
    from nwbsparse.analysis.quality.evaluate import evaluate as evaluate
    from nwbsparse.analysis.quality.naik_scores import naik_scores as naik_scores
    from nwbsparse.analysis.quality.stability import fit_seeds as fit_seeds
    from nwbsparse.analysis.quality.stability import stability as stability
    from nwbsparse.analysis.transfer import transfer as transfer
    from nwbsparse.analysis.units.attribute import attribute as attribute
    from nwbsparse.binning.sessions.for_coder import for_coder as for_coder
    from nwbsparse.binning.sessions.join import join_sessions as join_sessions
    from nwbsparse.binning.split import split as split
    from nwbsparse.binning.to_bins import to_bins as to_bins
    from nwbsparse.binning.with_target import with_target as with_target
    from nwbsparse.embedding.attach import with_embedding as with_embedding
    from nwbsparse.io.read import read as read
    from nwbsparse.models.checkpoint import load as load
    from nwbsparse.models.checkpoint import save as save
    from nwbsparse.models.coder import SparseCoder as SparseCoder
    from nwbsparse.models.exports import export_dictionary_learning as export_dictionary_learning
    from nwbsparse.models.exports import export_saelens as export_saelens
    from nwbsparse.models.session_part import coder_of_session as coder_of_session
    from nwbsparse.options.config import Config as Config
    from nwbsparse.plugins.sklearn import SparseCoderTransformer as SparseCoderTransformer
    from nwbsparse.results.label import label as label
    from nwbsparse.results.of_sessions import results_of_sessions as results_of_sessions
    from nwbsparse.results.results import Results as Results
    from nwbsparse.results.results import open_activations as open_activations
    from nwbsparse.results.results import open_results as open_results
    from nwbsparse.results.results import write as write
    from nwbsparse.runs.reproduce import reproduce as reproduce
    from nwbsparse.runs.revisit import revisit as revisit
    from nwbsparse.runs.run import run as run
    from nwbsparse.runs.run_sessions import run_sessions as run_sessions
    from nwbsparse.session import Session as Session
    from nwbsparse.share.bundle import bundle as bundle
    from nwbsparse.share.doctor import doctor as doctor
    from nwbsparse.share.rescue import rescue as rescue
    from nwbsparse.share.validate import validate as validate
    from nwbsparse.training.fit import fit as fit
    from nwbsparse.training.fit import fit_many as fit_many
    from nwbsparse.views.report.report import report as report

_WHERE = {
    "Config": "nwbsparse.options.config",
    "Results": "nwbsparse.results",
    "Session": "nwbsparse.session",
    "SparseCoder": "nwbsparse.models.coder",
    "SparseCoderTransformer": "nwbsparse.plugins.sklearn",
    "attribute": "nwbsparse.analysis.units.attribute",
    "bundle": "nwbsparse.share.bundle",
    "coder_of_session": "nwbsparse.models.session_part",
    "confirm": "nwbsparse.analysis.behaviour.confirm",
    "cosmooth": "nwbsparse.analysis.quality.cosmooth",
    "decode": "nwbsparse.analysis.decoding.decode",
    "doctor": "nwbsparse.share.doctor",
    "encode": "nwbsparse.analysis.apply.encode",
    "evaluate": "nwbsparse.analysis.quality.evaluate",
    "explain": "nwbsparse.analysis.explain",
    "export_dictionary_learning": "nwbsparse.models.exports",
    "export_saelens": "nwbsparse.models.exports",
    "fit": "nwbsparse.training.fit",
    "fit_many": "nwbsparse.training.fit",
    "fit_seeds": "nwbsparse.analysis.quality.stability",
    "for_coder": "nwbsparse.binning.sessions.for_coder",
    "join_sessions": "nwbsparse.binning.sessions.join",
    "label": "nwbsparse.results.label",
    "labels_in_words": "nwbsparse.analysis.behaviour.labels",
    "load": "nwbsparse.models.checkpoint",
    "naik_scores": "nwbsparse.analysis.quality.naik_scores",
    "open_activations": "nwbsparse.results",
    "open_results": "nwbsparse.results",
    "read": "nwbsparse.io.read",
    "reconstruct": "nwbsparse.analysis.apply.encode",
    "report": "nwbsparse.views.report.report",
    "reproduce": "nwbsparse.runs.reproduce",
    "rescue": "nwbsparse.share.rescue",
    "results_of_sessions": "nwbsparse.results.of_sessions",
    "revisit": "nwbsparse.runs.revisit",
    "run": "nwbsparse.runs.run",
    "run_sessions": "nwbsparse.runs.run_sessions",
    "save": "nwbsparse.models.checkpoint",
    "split": "nwbsparse.binning.split",
    "stability": "nwbsparse.analysis.quality.stability",
    "to_bins": "nwbsparse.binning.to_bins",
    "transfer": "nwbsparse.analysis.transfer",
    "validate": "nwbsparse.share.validate",
    "with_embedding": "nwbsparse.embedding.attach",
    "with_target": "nwbsparse.binning.with_target",
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
