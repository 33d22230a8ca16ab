"""What a coder inside a network is asked for: the decoder, its site, the coder, what is measured."""

from dataclasses import dataclass

from nwbsparse.errors import BadInput
from nwbsparse.options.decoder import DecoderOptions


@dataclass(frozen=True, kw_only=True)
class SpliceOptions(DecoderOptions):
    """How a decoder is made, which of its layers a coder stands in, and how that is measured."""

    class_label: str | None = None
    """A label that is the same in a whole session, such as genotype: decoded too, and its latents are
    tested by permuting it over sessions."""
    site: str | None = None
    """Name of the layer: blocks.0, blocks.1 … Absent: the last block, round which nothing goes."""
    n_latents: int = 64
    """Latents of the coder."""
    k: int = 5
    """Active latents per bin in the mean."""
    coder_epochs: int = 60
    """Passes of the coder over the bins of the training trials at most."""
    tuning_epochs: int = 20
    """Passes of decoder and coder together, after each was trained; 0: not together."""
    n_permutations: int = 999
    """Permutations of labels, and shifts of what latents are compared with in each session."""
    n_draws: int = 5
    """Draws of random latents, shuffled labels and resampled trials."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [
            f"{name} is {getattr(self, name)}; it must be at least {least}"
            for name, least in (
                ("n_latents", 1), ("k", 1), ("coder_epochs", 1), ("tuning_epochs", 0),
                ("n_permutations", 19), ("n_draws", 1),
            )
            if getattr(self, name) < least
        ]  # fmt: skip
        if self.k > self.n_latents:
            wrong.append(f"k is {self.k}, of {self.n_latents} latents")
        if len(self.target_names) + (self.class_label is not None) < 2:
            wrong.append(
                "name two targets or more, or a class label: that another variable stays is half of "
                "what an ablation shows"
            )
        if wrong:
            raise BadInput("; ".join(wrong))

    @property
    def at(self) -> str:
        """The name of the site."""
        return self.site or f"blocks.{self.n_blocks - 1}"

    @property
    def extra(self) -> list[str]:
        """Labels beside the targets."""
        return [] if self.class_label is None else [self.class_label]
