"""The tables: who was recorded, what the latents are, what they are compared with."""

from pynwb.spec import NWBDatasetSpec, NWBGroupSpec, NWBLinkSpec

from fields import attribute, column, index, region

population = NWBGroupSpec(
    neurodata_type_def="PopulationTable",
    neurodata_type_inc="DynamicTable",
    default_name="input_population",
    doc=(
        "The recorded channels a model reads or predicts: one row per model channel, in model "
        "order. The only type that refers to anything outside its model: by plain integers, by "
        "object ids as text, and by optional links (optional, because a broken external link "
        "that is required would make the whole file unreadable)."
    ),
    datasets=[
        column("source_row", "int32", "Row (0-based) of the source table or column of the series."),
        column("source_id", "int64", "Value of the source table's id column in that row."),
        column("unit_name", "text", "Name of the unit in its source.", required=False),
        column("lag", "float32", "Delay of this channel against the bin, in s.", required=False),
        column(
            "offset",
            "float32",
            "Subtracted from the channel before the model sees it: input = (x - offset) / scale.",
            required=False,
        ),
        column(
            "scale",
            "float32",
            "Divides the channel after the offset: input = (x - offset) / scale.",
            required=False,
        ),
        column(
            "group",
            "int32",
            "Channels that share spikes, and so cannot tell of one another, have the same number.",
            required=False,
        ),
        column(
            "hidden_unit_r2",
            "float32",
            "R2 of the channel in bins in which it was hidden from the model.",
            required=False,
        ),
        column(
            "activity_sha256",
            "text",
            "SHA-256 of what the model was made from in this channel, as hexadecimal text, over "
            "little-endian float64: the spike times in s; of a series the number of its samples, "
            "then times, then values of at most 4,096 of them, evenly spaced. '' if unknown.",
            required=False,
        ),
    ],
    attributes=[
        attribute(name, "text", doc, required=False)
        for name, doc in (
            ("source_table_object_id", "Object id of the table that source_row counts in."),
            ("source_table_path", "Path of that table inside its file."),
            ("source_series_object_id", "Object id of the series the values came from."),
            ("source_file_identifier", "NWBFile.identifier of the source file."),
            ("source_file_object_id", "Object id of the source file's NWBFile."),
        )
    ],
    links=[
        NWBLinkSpec(
            name="source_table",
            target_type="DynamicTable",
            doc="The table of the source units: Units, PlaneSegmentation, ...",
            quantity="?",
        ),
        NWBLinkSpec(
            name="source_series",
            target_type="NWBDataInterface",
            doc="The source of the values if not spikes: RoiResponseSeries, TimeSeries, ...",
            quantity="?",
        ),
    ],
)

# Of models that were trained several times: model.stability_method says how they were compared.
FOUND_AGAIN = (
    ("recurrence", "float32", "Share of the other seeds in which the latent comes back."),
    ("again", "float32", "Share of the other replicates in which the latent comes back."),
    ("hidden_gain", "float32", "How much hidden channels are predicted better with the latent."),
)
TESTED = (
    ("r", "float32", "Correlation of the latent with best_variable on held-out bins."),
    ("r_low", "float32", "Lower end of the interval of r."),
    ("r_high", "float32", "Upper end of the interval of r."),
    ("r_null_mean", "float32", "Mean r under the null."),
    ("q", "float32", "Chance of r under the null, corrected for many latents."),
    ("status", "text", "What came of the test of the latent, or why there was none."),
    ("confirmed", "bool", "True if the latent comes back and holds up on held-out bins."),
)

latents = NWBGroupSpec(
    neurodata_type_def="LatentsTable",
    neurodata_type_inc="DynamicTable",
    default_name="latents",
    doc="What each latent is and does: row i describes row i of the decoder weights.",
    datasets=[
        column("is_dead", "bool", "True if the latent was never active in the bins looked at."),
        column("density", "float32", "Fraction of bins in which the latent is active."),
        column("mean_activation", "float32", "Mean activation over all bins."),
        column(
            "matryoshka_level",
            "int32",
            "Smallest nested level (0-based) that contains the latent.",
            required=False,
        ),
        *(
            column(name, dtype, doc, required=False)
            for name, dtype, doc in (
                ("mean_active_value", "float32", "Mean activation over the bins it is active in."),
                ("max_activation", "float32", "Largest activation."),
                ("variance_explained", "float32", "Variance of the output this latent explains."),
                ("best_variable", "text", "Variable the latent follows best; '' if none."),
                ("best_condition", "text", "Condition it is most selective for; '' if none."),
                ("selectivity", "float32", "How selective the latent is for best_condition."),
                ("label", "text", "Name given to the latent by a person or a rule."),
                *FOUND_AGAIN,
                *TESTED,
            )
        ),
        NWBDatasetSpec(
            name="tuning",
            neurodata_type_inc="VectorData",
            dtype="float32",
            dims=[["num_latents"], ["num_latents", "num_points"]],
            shape=[[None], [None, None]],
            doc="Tuning of the latent: one value, or a curve over its best variable.",
            quantity="?",
        ),
        region(
            "top_units",
            "Channels the latent weighs most, strongest first; of an explained_population those "
            "that go with it most.",
            required=False,
        ),
        index("top_units"),
        column(
            "top_unit_weights",
            "float32",
            "Decoder weight of each of top_units; of an explained_population its mean z-score "
            "while the latent is active.",
            required=False,
        ),
        index("top_unit_weights"),
    ],
)

variables = NWBGroupSpec(
    neurodata_type_def="VariablesTable",
    neurodata_type_inc="DynamicTable",
    default_name="variables",
    doc="The behaviour and stimuli the latents were compared with: one row per target.",
    datasets=[
        column("variable", "text", "Name of the variable, such as running_speed."),
        column("condition", "text", "Value of a discrete variable; '' if it is continuous."),
        column("kind", "text", "One of: continuous, categorical, event."),
        column("source_object_id", "text", "Object id of where it came from.", required=False),
        column("source_path", "text", "Path of that object inside its file.", required=False),
    ],
)

metrics = NWBGroupSpec(
    neurodata_type_def="ModelMetricsTable",
    neurodata_type_inc="DynamicTable",
    default_name="metrics",
    doc="How good the model is: one row per number.",
    datasets=[
        column("metric", "text", "Name of the metric, such as r2 or l0."),
        column("value", "float64", "Its value."),
        column("split", "text", "Part of the recording it was measured on, such as test."),
        column(
            "matryoshka_level", "int32", "Level (0-based); -1 for the whole model.", required=False
        ),
    ],
)

sessions = NWBGroupSpec(
    neurodata_type_def="SourceSessionsTable",
    neurodata_type_inc="DynamicTable",
    default_name="sessions",
    doc="The recordings the model was trained on: one row per file.",
    datasets=[
        column("nwb_identifier", "text", "NWBFile.identifier of the session."),
        column("nwb_object_id", "text", "Object id of the session's NWBFile."),
        column("session_id", "text", "NWBFile.session_id.", required=False),
        column("subject_id", "text", "Subject.subject_id.", required=False),
        column("uri", "text", "Where the file can be found.", required=False),
        column("sha256", "text", "SHA-256 of the file, as hexadecimal text.", required=False),
    ],
)

candidates = NWBGroupSpec(
    neurodata_type_def="CandidatesTable",
    neurodata_type_inc="DynamicTable",
    default_name="candidates",
    doc="What was tried before the options of a model were settled: one row per candidate.",
    datasets=[
        column("score", "float64", "What was compared: larger is better."),
        column("chosen", "bool", "True for the candidate that the model was made with."),
        *(
            column(name, dtype, doc, required=False)
            for name, dtype, doc in (
                ("standard_error", "float64", "Standard error of the score."),
                ("smoothing", "float64", "Smoothing of the input (standard deviation), in s."),
                ("num_latents", "int32", "Number of latents."),
                ("k", "float64", "Active latents per bin that were asked."),
                ("penalty_weight", "float64", "Weight of the penalty on activations."),
            )
        ),
    ],
)
