"""The model: everything needed to encode, explain and check again without the training code."""

from pynwb.spec import NWBGroupSpec

from fields import array, attribute, child, children, scalar

model = NWBGroupSpec(
    neurodata_type_def="SparseLatentModel",
    neurodata_type_inc="NWBDataInterface",
    default_name="sparse_latent_model",
    doc=(
        "A trained model that rewrites population activity as few active latents, with its "
        "weights, its latents and what they mean. It lives in /processing/sparse_latents."
    ),
    attributes=[
        attribute("description", "text", "What the model was trained on, and for what."),
        attribute("architecture", "text", "Encoder, sparsifier and decoder, such as linear_topk."),
        attribute("activation_function", "text", "What makes latents sparse, such as batch_topk."),
        attribute("software", "text", "Name of the software that trained it."),
        attribute("software_version", "text", "Version of that software."),
        attribute("num_latents", "int", "Number of latents."),
        attribute("seed", "int", "Seed of the random numbers.", required=False),
        attribute("target_l0", "float", "Active latents per bin that were asked.", required=False),
        attribute("created", "text", "When it was trained, in ISO 8601.", required=False),
        attribute("checkpoint_uri", "text", "Where the checkpoint can be found.", required=False),
        attribute("checkpoint_sha256", "text", "SHA-256 of the checkpoint.", required=False),
        attribute(
            "smoothing",
            "float",
            "Standard deviation of the Gaussian that smooths the input, in s; 0: none.",
            required=False,
        ),
        attribute(
            "mask", "float", "Share of entries hidden from the model in training.", required=False
        ),
        attribute(
            "sign", "text", "Sign of the decoder's weights: nonnegative or free.", required=False
        ),
        attribute(
            "seeds", "int", "How many trainings that differ in their seed alone.", required=False
        ),
        attribute(
            "replicates", "int", "How many times that was done over, independently.", required=False
        ),
        attribute(
            "stability_method",
            "text",
            "How latents of several trainings were compared, and when one counts as found again.",
            required=False,
        ),
        attribute(
            "chance_match",
            "float",
            "Match (cosine) that latents of untrained models reach by chance.",
            required=False,
        ),
    ],
    datasets=[
        scalar("hyperparameters", "text", "The configuration, as JSON."),
        scalar("environment", "text", "Versions and hardware, as JSON.", required=False),
        scalar("model_card", "text", "What a user should know, as Markdown.", required=False),
        array(
            "matryoshka_sizes",
            "int32",
            ["num_levels"],
            "Number of latents in each nested level, smallest first.",
            required=False,
        ),
        array(
            "decoder_weights",
            "float32",
            [["num_latents", "num_outputs"], ["num_latents", "num_lags", "num_outputs"]],
            "What each latent adds to the output: row i belongs to row i of latents.",
        ),
        array("decoder_bias", "float32", ["num_outputs"], "Added to the output.", required=False),
        array(
            "encoder_weights",
            "float32",
            ["num_inputs", "num_latents"],
            "What each input channel adds to each latent.",
            required=False,
        ),
        array("encoder_bias", "float32", ["num_latents"], "Added to the latents.", required=False),
        array(
            "pre_bias",
            "float32",
            ["num_inputs"],
            "Subtracted from the input before the encoder.",
            required=False,
        ),
        array(
            "threshold",
            "float32",
            ["num_levels", "num_latents"],
            "Value above which a latent is active, at each level.",
            required=False,
        ),
        array(
            "parameters",
            "uint8",
            ["num_bytes"],
            "All parameters as the bytes of a safetensors file. Authoritative: also holds what the "
            "arrays above cannot (transformers, gated coders, session heads).",
            required=False,
        ),
        array(
            "embedder",
            "uint8",
            ["num_bytes"],
            "What made the embedding, as the bytes of a safetensors file: its arrays, and its "
            "method and settings as JSON in the metadata. With it other recordings of the same "
            "units can be embedded.",
            required=False,
        ),
    ],
    groups=[
        child("input_population", "PopulationTable", "The channels the model reads."),
        child(
            "output_population",
            "PopulationTable",
            "The channels it predicts, if not the ones it reads.",
            required=False,
        ),
        child(
            "explained_population",
            "PopulationTable",
            "The units its latents are compared with, if it neither reads nor predicts them, as a "
            "model of an embedding.",
            required=False,
        ),
        child("latents", "LatentsTable", "What each latent is and does."),
        child("variables", "VariablesTable", "What latents are compared with.", required=False),
        child("metrics", "ModelMetricsTable", "How good the model is.", required=False),
        child(
            "candidates",
            "CandidatesTable",
            "What was tried before its options were settled.",
            required=False,
        ),
        child("sessions", "SourceSessionsTable", "What it was trained on.", required=False),
        child(
            "splits",
            "TimeIntervals",
            "Which times trained the model and which tested it; a text column `split` names the "
            "part (train, validation, test).",
            required=False,
        ),
        children("LatentActivationSeries", "Activations over time, dense."),
        children("SparseLatentActivations", "Activations over time, sparse."),
        children("LatentAttribution", "What the latents mean."),
        child(
            "embedding",
            "TimeSeries",
            "The embedding the model reads, if not the population itself.",
            required=False,
        ),
    ],
)
