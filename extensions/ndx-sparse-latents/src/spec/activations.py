"""What the latents do over time (dense or sparse) and what they mean."""

from pynwb.spec import NWBAttributeSpec, NWBDatasetSpec, NWBGroupSpec

from fields import array, attribute, region

LATENTS = "The rows of the model's latents table that the latents here are."

dense_series = NWBGroupSpec(
    neurodata_type_def="LatentActivationSeries",
    neurodata_type_inc="TimeSeries",
    doc=(
        "Activation of every latent in every bin, stored densely. Being a TimeSeries, it is shown "
        "by any NWB viewer. For many latents use SparseLatentActivations."
    ),
    attributes=[
        attribute("bin_width", "float64", "Width of a bin, in s."),
        NWBAttributeSpec(
            name="time_reference",
            dtype="text",
            doc="What a bin's time is: the 'center' or the 'start' of the bin.",
            default_value="center",
            required=False,
        ),
    ],
    datasets=[
        NWBDatasetSpec(
            name="data",
            dtype="float32",
            dims=["num_bins", "num_latents"],
            shape=[None, None],
            doc="Activations, in arbitrary units (unit: 'a.u.').",
        ),
        region("latents", LATENTS),
    ],
)

sparse_activations = NWBGroupSpec(
    neurodata_type_def="SparseLatentActivations",
    neurodata_type_inc="NWBDataInterface",
    default_name="activations",
    doc=(
        "Activations of which only the non-zero ones are stored, bin after bin (compressed sparse "
        "rows): bin i has the entries indptr[i] to indptr[i + 1] of values and indices. Bin times "
        "are either starting_time and rate, or timestamps if there are gaps."
    ),
    attributes=[
        attribute("description", "text", "What these activations are."),
        attribute("num_bins", "int", "Number of bins."),
        attribute("num_latents", "int", "Number of latents, active or not."),
        attribute("bin_width", "float64", "Width of a bin, in s."),
        attribute(
            "starting_time", "float64", "Centre of the first bin, in session s.", required=False
        ),
        attribute("rate", "float64", "Bins per second, if there are no gaps.", required=False),
    ],
    datasets=[
        array("values", "float32", ["num_entries"], "The non-zero activations, in a.u."),
        array(
            "indices",
            "uint16",
            ["num_entries"],
            "Latent of each value, counted in `latents`; uint32 for more than 65,535 latents. "
            "Within a bin each latent appears at most once.",
        ),
        array("indptr", "uint64", ["num_bins_plus_1"], "Where in values each bin starts."),
        array("timestamps", "float64", ["num_bins"], "Bin centres, in session s.", required=False),
        region("latents", LATENTS),
    ],
)

PAIRS = ["num_latents", "num_targets"]

attribution = NWBGroupSpec(
    neurodata_type_def="LatentAttribution",
    neurodata_type_inc="NWBDataInterface",
    default_name="attribution",
    doc="How much each latent has to do with each target: one score per pair, and its null.",
    attributes=[
        attribute("description", "text", "What was compared, and how the null was made."),
        attribute(
            "metric",
            "text",
            "What a score is: pearson_r, r2, auroc, selectivity, ablation_delta_r2, ...",
        ),
        attribute("split", "text", "Part of the recording it was measured on.", required=False),
    ],
    datasets=[
        array("scores", "float32", PAIRS, "The score of each latent for each target."),
        array("p_values", "float32", PAIRS, "Chance of the score under the null.", required=False),
        array("q_values", "float32", PAIRS, "p_values, corrected for many tests.", required=False),
        array("null_mean", "float32", PAIRS, "Mean score under the null.", required=False),
        array("null_std", "float32", PAIRS, "Its standard deviation.", required=False),
        array("low", "float32", PAIRS, "Lower end of the interval of the score.", required=False),
        array("high", "float32", PAIRS, "Upper end of the interval of the score.", required=False),
        region("latents", LATENTS),
        region("targets", "The rows of a PopulationTable or VariablesTable that are the targets."),
    ],
)
