"""The one spelling of every dimension, variable and attribute that flows between rooms.

Strings only, no imports: any room may read this file, and a machine that has only torch and
numpy can too. The words are those of docs/reference/glossary.md.
"""

from typing import Final

# dimensions
TIME: Final = "time"
UNIT: Final = "unit"
LATENT: Final = "latent"
SPACE: Final = "space"
LEVEL: Final = "level"
INTERVAL: Final = "interval"
COVARIATE: Final = "covariate"
CONDITION: Final = "condition"
ENTRY: Final = "entry"
DIM: Final = "dim"
TIME_EDGE: Final = "time_edge"
# of a coder that reconstructs other units than it reads: those it reads; ``unit`` are the others
INPUT_UNIT: Final = "input_unit"

# Binned: variables and coordinates
COUNTS: Final = "counts"
VALID: Final = "valid"
SEGMENT: Final = "segment"
TRIAL: Final = "trial"
SPLIT: Final = "split"
UNIT_ID: Final = "unit_id"
UNIT_ROW: Final = "unit_row"
GROUP: Final = "group"
# which units were made one with each, where units that share spikes are merged
MERGED_UNITS: Final = "merged_units"
N_SPIKES: Final = "n_spikes"
INPUT_UNIT_ID: Final = "input_unit_id"
INPUT_UNIT_ROW: Final = "input_unit_row"
INPUT_MERGED_UNITS: Final = "input_merged_units"

# an embedding beside the counts, and which of the two a coder reads
EMBEDDING: Final = "embedding"
EMBEDDED: Final = "embedded"  # an embedding and its controls, side by side
EMBEDDER: Final = "embedder"  # the fitted method that made it, as bytes
METHOD: Final = "method"
PARAMETERS: Final = "parameters"
FITTED_ON: Final = "fitted_on"  # in the parameters of an embedding: which bins it was learned from
N_SESSIONS: Final = "n_sessions"  # and how many recordings it put into one space
READS: Final = "reads"

# several sessions in one Binned dataset: which session a bin (condition and interval table) and a
# unit are of, and the time of the bin in its own session
SESSION: Final = "session"
SESSIONS: Final = "sessions"
UNIT_SESSION: Final = "unit_session"
SESSION_TIME: Final = "session_time"

# the value of ``split`` in each bin; GAP bins belong to no part
TRAIN: Final = 0
VALIDATION: Final = 1
TEST: Final = 2
GAP: Final = -1
SPLIT_NAMES: Final = ("train", "validation", "test")

# what a variable of a Binned dataset is: its ``role`` attribute
ROLE: Final = "role"
ROLE_COVARIATE: Final = "covariate"
ROLE_CONDITION: Final = "condition"
ROLE_INTERVAL: Final = "interval"
ROLE_EVENT: Final = "event"

# what kind of covariate it is: its ``kind`` attribute
KIND: Final = "kind"
CONTINUOUS: Final = "continuous"
CIRCULAR: Final = "circular"
POSITION: Final = "position"
CATEGORICAL: Final = "categorical"
PERI_EVENT: Final = "peri-event"
CATEGORIES: Final = "categories"
OF_NUMBERS: Final = "of_numbers"  # 1 where categories are words for numbers of the source
TABLE: Final = "table"
UNITS_OF_MEASURE: Final = "units"

# trials of a session: activity (trial, time, unit) and one variable per label
ACTIVITY: Final = "activity"
BLANK: Final = "blank"
START: Final = "start"
ROW: Final = "row"
CATEGORY: Final = "category"
VALUES: Final = "values"
PERIOD: Final = "period"
CONSTANT: Final = "constant"
WINDOW: Final = "window"
NOTES: Final = "notes"

# a coder inside a network: what is said per variable that is decoded, per method, per ablation
HEAD: Final = "head"
REPRESENTATION: Final = "representation"
ABLATION: Final = "ablation"
REMOVED: Final = "removed"
STEERED: Final = "steered"
DOSE: Final = "dose"
N_CHANNELS: Final = "n_channels"

# decoders of trials side by side: how well each does, beside chance and a null
DECODER: Final = "decoder"
SCORE: Final = "score"
CHANCE: Final = "chance"
NULL_MEAN: Final = "null_mean"
NULL_HIGH: Final = "null_high"
P: Final = "p"
N: Final = "n"

# Latents
ACTIVATION: Final = "activation"
VALUE: Final = "value"
LATENT_INDEX: Final = "latent_index"
INDPTR: Final = "indptr"
CODER_ID: Final = "coder_id"
COMPLETE: Final = "complete"

# attributes of every dataset
BIN_WIDTH: Final = "bin_width"
TIME_UNIT: Final = "time_unit"
SOURCE: Final = "source"
SOURCE_SHA256: Final = "source_sha256"
HISTORY: Final = "history"
SCHEMA: Final = "schema"

# datasets
BINNED: Final = "binned"
TRIALS: Final = "trials"
LATENTS: Final = "latents"
METRICS: Final = "metrics"
ATTRIBUTION: Final = "attribution"
STABILITY: Final = "stability"
SPLICE_REPORT: Final = "splice_report"
SITE_SELECTIVITY: Final = "site_selectivity"
ABLATION_MATRIX: Final = "ablation_matrix"
SITE_PROBING: Final = "site_probing"
STEERING: Final = "steering"
