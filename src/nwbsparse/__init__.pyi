# The verbs and where they are made: what editors see, and what is imported when first used.
from .analysis.apply.encode import encode as encode
from .analysis.apply.encode import reconstruct as reconstruct
from .analysis.behaviour.confirm import confirm as confirm
from .analysis.behaviour.labels_in_words import labels_in_words as labels_in_words
from .analysis.data_check.check import check as check
from .analysis.decoding.decode import decode as decode
from .analysis.explain import explain as explain
from .analysis.quality.cosmooth import cosmooth as cosmooth
from .analysis.quality.evaluate import evaluate as evaluate
from .analysis.quality.naik_scores import naik_scores as naik_scores
from .analysis.quality.stability import fit_seeds as fit_seeds
from .analysis.quality.stability import stability as stability
from .analysis.representation import Representation as Representation
from .analysis.transfer import transfer as transfer
from .analysis.units.attribute import attribute as attribute
from .binning.sessions.for_coder import for_coder as for_coder
from .binning.sessions.join import join_sessions as join_sessions
from .binning.split import split as split
from .binning.to_bins import to_bins as to_bins
from .binning.to_trials import to_trials as to_trials
from .binning.with_target import with_target as with_target
from .embedding.attach import with_embedding as with_embedding
from .embedding.embed import embed as embed
from .embedding.embedder import Embedder as Embedder
from .embedding.embedder import embedder_of as embedder_of
from .embedding.sessions import embed_sessions as embed_sessions
from .io.behaviour.join import join_behaviour as join_behaviour
from .io.read import read as read
from .models.checkpoint import load as load
from .models.checkpoint import save as save
from .models.coder import SparseCoder as SparseCoder
from .models.exports import export_dictionary_learning as export_dictionary_learning
from .models.exports import export_saelens as export_saelens
from .models.session_part import coder_of_session as coder_of_session
from .options.config import Config as Config
from .options.nwb_fields import NwbFields as NwbFields
from .plugins.sklearn import SparseCoderTransformer as SparseCoderTransformer
from .results.activations import open_activations as open_activations
from .results.label import label as label
from .results.of_sessions import results_of_sessions as results_of_sessions
from .results.results import Results as Results
from .results.results import open_results as open_results
from .results.results import write as write
from .runs.fit_recording import fit_recording as fit_recording
from .runs.reproduce import reproduce as reproduce
from .runs.revisit import revisit as revisit
from .runs.run import run as run
from .runs.run_sessions import run_sessions as run_sessions
from .runs.sweep import sweep as sweep
from .session import Session as Session
from .share.bundle import bundle as bundle
from .share.doctor import doctor as doctor
from .share.rescue import rescue as rescue
from .share.validate import validate as validate
from .splice.capture import capture as capture
from .splice.replace import replace as replace
from .splice.site import site as site
from .splice.transformer import PopulationTransformer as PopulationTransformer
from .training.fit import fit as fit
from .training.fit import fit_many as fit_many
from .views.report.report import report as report

__all__ = [
    "Config",
    "Embedder",
    "NwbFields",
    "PopulationTransformer",
    "Representation",
    "Results",
    "Session",
    "SparseCoder",
    "SparseCoderTransformer",
    "attribute",
    "bundle",
    "capture",
    "check",
    "coder_of_session",
    "confirm",
    "cosmooth",
    "decode",
    "doctor",
    "embed",
    "embed_sessions",
    "embedder_of",
    "encode",
    "evaluate",
    "explain",
    "export_dictionary_learning",
    "export_saelens",
    "fit",
    "fit_many",
    "fit_recording",
    "fit_seeds",
    "for_coder",
    "join_behaviour",
    "join_sessions",
    "label",
    "labels_in_words",
    "load",
    "naik_scores",
    "open_activations",
    "open_results",
    "read",
    "reconstruct",
    "replace",
    "report",
    "reproduce",
    "rescue",
    "results_of_sessions",
    "revisit",
    "run",
    "run_sessions",
    "save",
    "site",
    "split",
    "stability",
    "sweep",
    "to_bins",
    "to_trials",
    "transfer",
    "validate",
    "with_embedding",
    "with_target",
    "write",
]
