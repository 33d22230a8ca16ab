"""What a coder is made of: what it reads, how many latents, and the parts between them."""

from dataclasses import dataclass

from nwbsparse.options.facts import option
from nwbsparse.options.words import (
    Attention,
    Decoded,
    Decoder,
    Encoder,
    Initialisation,
    LevelTerms,
    Loss,
    Nesting,
    Normalisation,
    Output,
    Penalty,
    PreBias,
    Reads,
    Rows,
    Sign,
    SmoothingKernel,
    Sparsifier,
    Transform,
)


@dataclass(frozen=True, kw_only=True)
class CoderOptions:
    """Model: what is read, how many latents there are, and what stands between them."""

    reads: Reads = "counts"
    """What the coder reads and reconstructs: the units' counts, or an embedding of them."""
    target_units: str | None = None
    """Reconstruct these units from the others: ids ("3,7") or a condition on columns."""
    target_regions: str | None = None
    """Reconstruct the units of these regions from the others, separated by commas."""
    n_latents: int | None = option(None, above=0, common=True)
    """How many latents. Absent: chosen; with choose=none four per unit that fires, eight per dim."""
    expansion: int | None = option(None, above=0)
    """How many latents per encoded unit, in place of n_latents."""
    k: int | None = option(None, above=0, per_model=True, common=True)
    """Mean number of latents active in a bin. Absent: chosen; with choose=none as units are active."""
    levels: tuple[str, ...] = ()
    """Matryoshka levels "n_latents:k:weight", such as "16:1", "64:4:0.5". Empty: one level."""
    nesting: Nesting = option("independent", shapes_unless="independent")
    """Whether each level selects latents by itself or all share one selection (nested)."""
    level_terms: LevelTerms | None = None
    """How levels make one loss: their weighted sum, or its mean as once. Absent: the sum."""
    encoder: Encoder = option("linear", shapes_unless="linear")
    """What sees the counts: one bin (linear), several at once (window), or attention over them."""
    window: int | None = option(None, above=0, shapes_unless=1)
    """Bins that the coder sees at once, the last being its own. Absent: 1, or 10 where needed."""
    attention: Attention = option("latent", shapes_unless="latent")
    """Where the transformer attends: over the latents of each bin, or in a model space before."""
    d_model: int = option(64, above=0)
    """Width of the transformer's model space."""
    n_heads: int = option(4, above=0, shapes_unless=4)
    """Attention heads of the transformer."""
    n_blocks: int = option(2, above=0)
    """Blocks of a transformer with attention in model space."""
    sparsifier: Sparsifier = option("batch_topk", shapes_unless="batch_topk")
    """What makes the latents sparse."""
    penalty: Penalty = "l1"
    """Penalty of the l1 sparsifier: the sum of activations, or one that saturates (Naik 2025)."""
    penalty_weight: float | None = option(None, least=0, per_model=True)
    """Weight of the sparsity penalty (l1, jumprelu, gated). Absent: 0.1."""
    bandwidth: float | None = option(None, above=0, per_model=True)
    """Scale of the exponential penalty (absent: 1e-3) or of JumpReLU's kernel (absent: 0.05)."""
    decoder: Decoder = option("linear", shapes_unless="linear")
    """How latents make the population again: each bin by itself, or each latent with a time course."""
    decoded: Decoded | None = option(None, shapes_unless="last")
    """Which bins of a window are reconstructed. Absent: all, or the last of a convolution."""
    lag: int = option(0, shapes_unless=0)
    """Reconstruct the bin this many bins later: a positive lag predicts."""
    smoothing: float | None = option(None, least=0, shapes_unless=0.0)
    """Standard deviation (s) of the Gaussian that what is read is smoothed with. Absent: as choose says."""
    smoothing_kernel: SmoothingKernel = option("gaussian", shapes_unless="gaussian")
    """Whether smoothing looks both ways (gaussian) or only back, never at the future of a bin (causal)."""
    transform: Transform | None = option(None, shapes_unless="none")
    """Of counts the square root is read and reconstructed, or they themselves (none). Absent: the root
    of counts above 1 where units are hidden."""
    sign: Sign | None = None
    """Whether dictionary rows may go below 0. Absent: not where units are hidden and never below 0."""
    loss: Loss = "mse"
    """What the reconstruction minimises."""
    tau: float = option(1.0, above=0)
    """Factor on the predicted logarithm in the msle loss."""
    normalisation: Normalisation | None = None
    """How counts are scaled: read as z-scores, reconstructed in standard deviations (scaled); or
    z-scores throughout. Absent: what the loss needs."""
    output: Output | None = None
    """Last step of the decoder. Absent: what the loss needs."""
    rows: Rows = "unit"
    """Whether rows of the dictionary are kept at unit length."""
    pre_bias: PreBias = "mean"
    """Whether the mean of the training bins is taken off before encoding."""
    initialisation: Initialisation = "tied"
    """Whether the encoder starts as the transpose of the dictionary (tied), or all weights as torch's
    linear layers do (uniform; uniform_unit: then with dictionary rows of unit length)."""
