"""All figures, one function each: datasets in, matplotlib Axes out, no pyplot state touched."""

from nwbsparse.views.plots.candidates import candidates
from nwbsparse.views.plots.comparison import confusion_matrix, decoding_comparison, stability_matrix
from nwbsparse.views.plots.conditions import condition_bars, selectivity_bars
from nwbsparse.views.plots.covered import values_covered
from nwbsparse.views.plots.curve import tuning_curve
from nwbsparse.views.plots.fields import latent_fields
from nwbsparse.views.plots.hidden import hidden_units
from nwbsparse.views.plots.latents import spatial_map
from nwbsparse.views.plots.moments import moments
from nwbsparse.views.plots.populations import read_units
from nwbsparse.views.plots.quality import (
    comparison_bars,
    density_histogram,
    l0_histogram,
    training_history,
    unit_r2,
)
from nwbsparse.views.plots.raster import latent_raster
from nwbsparse.views.plots.rhythm import rhythm
from nwbsparse.views.plots.signals import reconstruction_examples, spectrum
from nwbsparse.views.plots.sweep import sweep_pareto, sweep_sizes
from nwbsparse.views.plots.triggered import activation_triggered, peri_event
from nwbsparse.views.plots.units import (
    ablation_heatmap,
    top_units,
    weights_along_depth,
    weights_by_region,
)

__all__ = [
    "ablation_heatmap",
    "activation_triggered",
    "candidates",
    "comparison_bars",
    "condition_bars",
    "confusion_matrix",
    "decoding_comparison",
    "density_histogram",
    "hidden_units",
    "l0_histogram",
    "latent_fields",
    "latent_raster",
    "moments",
    "peri_event",
    "read_units",
    "reconstruction_examples",
    "rhythm",
    "selectivity_bars",
    "spatial_map",
    "spectrum",
    "stability_matrix",
    "sweep_pareto",
    "sweep_sizes",
    "top_units",
    "training_history",
    "tuning_curve",
    "unit_r2",
    "values_covered",
    "weights_along_depth",
    "weights_by_region",
]
