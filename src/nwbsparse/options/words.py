"""What options of one of several words can say; ``| str`` where others can register more."""

from __future__ import annotations

from typing import Literal

Encoder = Literal["linear", "window", "transformer"]
Attention = Literal["latent", "model"]
Sparsifier = Literal["batch_topk", "topk", "l1", "jumprelu", "gated"] | str
Penalty = Literal["l1", "exponential"]
Nesting = Literal["independent", "nested"]
LevelTerms = Literal["sum", "mean"]
Decoder = Literal["linear", "convolution"]
Decoded = Literal["all", "last"]
Loss = Literal["mse", "msle", "poisson", "negative_binomial"] | str
Normalisation = Literal["scaled", "zscore", "none"]
Output = Literal["identity", "relu", "softplus", "exp"]
Rows = Literal["unit", "free"]
PreBias = Literal["mean", "none"]
Initialisation = Literal["tied", "random", "uniform", "uniform_unit"]
Revival = Literal["auxiliary", "paper", "resample", "none"]
LastBatch = Literal["drop", "keep"]
Schedule = Literal["trapezoid", "cosine", "constant"]
Precision = Literal["float32", "bfloat16", "float64"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Reads = Literal["counts", "embedding"]
Embed = Literal["none", "cebra", "pca", "fa", "ica", "nmf", "umap", "tsne"]
Sign = Literal["nonnegative", "free"]
Transform = Literal["sqrt", "none"]
SmoothingKernel = Literal["gaussian", "causal"]
Choose = Literal["all", "size", "none"]
Duplicates = Literal["keep", "merge", "drop"]
