"""All figures, one function each: datasets in, matplotlib Axes out, no pyplot state touched."""

from nwbsparse.views.plots_latents import condition_bars, spatial_map, top_units, tuning_curve
from nwbsparse.views.plots_quality import (
    comparison_bars,
    density_histogram,
    l0_histogram,
    training_history,
    unit_r2,
)
from nwbsparse.views.plots_raster import latent_raster

__all__ = [
    "comparison_bars",
    "condition_bars",
    "density_histogram",
    "l0_histogram",
    "latent_raster",
    "spatial_map",
    "top_units",
    "training_history",
    "tuning_curve",
    "unit_r2",
]
