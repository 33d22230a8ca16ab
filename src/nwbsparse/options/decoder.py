"""What a decoder of trials is asked for: trials, targets, size, training."""

from dataclasses import dataclass

from nwbsparse.errors import BadInput
from nwbsparse.naming.listed_names import names_in
from nwbsparse.options.words import Device


@dataclass(frozen=True, kw_only=True)
class DecoderOptions:
    """How recordings are cut into trials, and how a decoder of them is made and trained."""

    targets: str
    """Labels to decode, with commas: direction,speed; direction:circular:360 says of what kind one is."""
    table: str | None = None
    """The table of trials. Absent: the one with the most of the targets."""
    window: tuple[float, float] | None = None
    """First and last second from the start of a trial. Absent: to the end of the shortest trial."""
    bin_width: float | None = None
    """Seconds. Absent: of traces their step, of spikes by the firing rates."""
    where: str | None = None
    """A condition on the columns of the table; other rows are no trials."""
    units: str | None = None
    """A condition on the columns of the units."""
    regions: str | None = None
    """Only units of these regions, with commas."""
    test: float = 0.2
    """Share of the trials of each session that is held out."""
    validation: float = 0.1
    """Share of the trials that decides when training stops."""
    d_model: int = 32
    """Size of a token."""
    n_blocks: int = 2
    """Blocks of the transformer."""
    n_heads: int = 4
    """Heads of attention."""
    dropout: float = 0.1
    """Share of a layer's outputs that training leaves out."""
    unit_dropout: float = 0.3
    """Share of the units that training leaves out of a trial."""
    max_epochs: int = 40
    """Passes over the training trials at most."""
    batch_size: int = 128
    """Trials per update, of all sessions together."""
    learning_rate: float = 3e-3
    """Peak step size."""
    weight_decay: float = 0.01
    """Decay of matrices toward zero."""
    patience: int = 10
    """Passes without a lower validation loss before training stops."""
    seed: int = 0
    """Of the deal of trials, the first weights and the order of training."""
    device: Device = "auto"
    """Where the decoder is trained."""

    def __post_init__(self) -> None:
        if not (self.test > 0 and self.validation > 0 and self.test + self.validation < 1):
            raise BadInput(
                f"test is {self.test} and validation {self.validation}; both are above 0 and leave "
                "something to train on"
            )
        if not self.target_names:
            raise BadInput("name what is to be decoded: --targets direction,speed")

    @property
    def labels(self) -> list[str]:
        """The targets as they were asked for, with their kinds."""
        return [one for one in names_in(self.targets) if one]

    @property
    def target_names(self) -> list[str]:
        """What the targets are called."""
        return [one.partition(":")[0] for one in self.labels]
