"""Population transformer: the activity of a population over a trial in, what was shown or done out.

A linear read-in per session, one token per bin, pre-LN blocks (Xiong et al. 2020), one query that
attends over the last block. Nothing goes round the last block: whatever is put in its place is all
that the heads see.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from nwbsparse.errors import BadInput, raise_together, unknown
from nwbsparse.splice.heads import BIN, Head, Readout
from nwbsparse.splice.read_in import ReadIn


class PopulationTransformer(nn.Module):
    """A decoder of trials for several sessions, whose hidden layers are named: ``blocks.0``, …, ``pool``.

    ``blocks.N`` gives (trial, time, d_model), ``pool`` one vector per trial. Heads of trials read
    ``pool`` alone, heads of bins the last block alone. Weights are drawn from ``seed``.

    Args:
        sessions: number of units of each session.
        heads: what is predicted.
        n_bins: bins of a trial.
        d_model: size of a token.
        n_blocks: number of blocks.
        n_heads: of attention; ``d_model`` is a multiple of it.
        dropout: share of a layer's outputs that training leaves out.
        unit_dropout: share of the units that training leaves out of a trial.
        seed: of the first weights.

    Raises:
        BadInput: no session, no head, or sizes that do not go together.
    """

    def __init__(
        self,
        sessions: Mapping[str, int],
        heads: Mapping[str, Head],
        *,
        n_bins: int,
        d_model: int = 32,
        n_blocks: int = 2,
        n_heads: int = 4,
        dropout: float = 0.1,
        unit_dropout: float = 0.3,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.options: dict[str, Any] = {
            "n_bins": n_bins, "d_model": d_model, "n_blocks": n_blocks, "n_heads": n_heads,
            "dropout": dropout, "unit_dropout": unit_dropout, "seed": seed,
        }  # fmt: skip
        _check(sessions, heads, self.options)
        self.sessions = dict(sessions)
        self.heads = dict(heads)
        self.history: list[dict[str, Any]] = []
        """One row per validation check: of its training, of read-ins and fine-tuning that followed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.position = nn.Parameter(0.02 * torch.randn(n_bins, d_model))
            self.blocks = nn.ModuleList(Block(d_model, n_heads, dropout) for _ in range(n_blocks))
            self.pool = Pool(d_model, n_heads)
            self.bin_norm = nn.LayerNorm(d_model)
            # lists, not dicts by name: a module cannot be called 'type' or have a '.' in its name
            self.readouts = nn.ModuleList(Readout(head, d_model) for head in heads.values())
            self.read_ins = nn.ModuleList(
                ReadIn(n_units, d_model, unit_dropout) for n_units in sessions.values()
            )

    def forward(
        self,
        activity: Float[Tensor, "trial time unit"] | Sequence[Tensor],
        *,
        session: str | Sequence[str],
    ) -> dict[str, Tensor]:
        """Answers of all heads for the trials of one session, or of several after each other.

        Args:
            activity: of a session; or a list with that of several, each with its own units.
                NaN is what was not observed: it is read as the unit's mean.
            session: which one; or a list of as many.

        Returns:
            ``{head: (trial, output)}``, for heads of bins ``(trial, time, output)``: log odds of
            categories, cosine and sine of circular variables, z-scores of continuous ones.

        Raises:
            BadInput: a session that it has no read-in for, or activity of another shape.
        """
        single = isinstance(activity, Tensor)
        pieces = [activity] if isinstance(activity, Tensor) else list(activity)
        which = [session] if isinstance(session, str) else list(session)
        if len(pieces) != len(which) or single != isinstance(session, str):
            raise BadInput(
                f"{len(pieces)} tensors of activity and {len(which)} sessions: give one each, or lists"
            )
        read = [
            self.read_in(name)(self._checked(x, name))
            for x, name in zip(pieces, which, strict=True)
        ]
        tokens = torch.cat(read) + self.position
        for block in self.blocks:
            tokens = block(tokens)
        pooled = self.pool(tokens)
        per_bin = self.bin_norm(tokens)
        return {
            name: self.readout(name)(per_bin if head.per == BIN else pooled)
            for name, head in self.heads.items()
        }

    def read_in(self, session: str) -> ReadIn:
        """The part of the network that belongs to one session alone.

        Raises:
            BadInput: there is no such session.
        """
        if session not in self.sessions:
            more = "A new session gets its own with fit_read_in"
            raise unknown(session, self.sessions, what="session", of="the decoder", more=more)
        made = self.read_ins[list(self.sessions).index(session)]
        assert isinstance(made, ReadIn)
        return made

    def readout(self, head: str) -> Readout:
        """The last map to the answer of one head.

        Raises:
            BadInput: there is no such head.
        """
        if head not in self.heads:
            raise unknown(head, self.heads, what="head", of="the decoder")
        made = self.readouts[list(self.heads).index(head)]
        assert isinstance(made, Readout)
        return made

    def with_session(self, session: str, n_units: int) -> PopulationTransformer:
        """A copy with an untrained read-in for one more session.

        Raises:
            BadInput: it has that session already.
        """
        if session in self.sessions:
            raise BadInput(f"the decoder has a session '{session}' already; give it another name")
        made = copy.deepcopy(self)
        made.sessions[session] = n_units
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.options["seed"] + len(self.sessions))
            one = ReadIn(n_units, self.options["d_model"], self.options["unit_dropout"])
        made.read_ins.append(one.to(self.position.device))
        return made

    def _checked(self, activity: Tensor, session: str) -> Tensor:
        n_bins, n_units = self.options["n_bins"], self.sessions.get(session)
        wrong = activity.ndim != 3 or activity.shape[1] != n_bins
        if wrong or n_units not in (None, activity.shape[2]):
            raise BadInput(
                f"session '{session}': the decoder reads (trial, {n_bins} bins, {n_units} units), "
                f"this activity is {tuple(activity.shape)}"
            )
        return activity


class Block(nn.Module):
    """Attention among the bins of a trial, then a map of each; both are added to what came in."""

    def __init__(self, d_model: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.attention = Attention(d_model, n_heads)
        self.mlp = nn.Sequential(
            nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Float[Tensor, "trial time dim"]) -> Float[Tensor, "trial time dim"]:
        seen = self.norm1(tokens)
        tokens = tokens + self.dropout(self.attention(seen, seen))
        return tokens + self.dropout(self.mlp(self.norm2(tokens)))


class Attention(nn.Module):
    """Attention with several heads, of queries over tokens."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(d_model, d_model)
        self.key_value = nn.Linear(d_model, 2 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def forward(
        self, queries: Float[Tensor, "trial query dim"], tokens: Float[Tensor, "trial time dim"]
    ) -> Float[Tensor, "trial query dim"]:
        q = self.query(queries).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        k, v = self.key_value(tokens).chunk(2, dim=-1)
        k, v = (x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for x in (k, v))
        seen = functional.scaled_dot_product_attention(q, k, v)
        return self.out(seen.transpose(1, 2).flatten(2))


class Pool(nn.Module):
    """One learned query attends over all bins: (trial, time, dim) → (trial, dim)."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.query = nn.Parameter(0.02 * torch.randn(d_model))
        self.norm = nn.LayerNorm(d_model)
        self.attention = Attention(d_model, n_heads)

    def forward(self, tokens: Float[Tensor, "trial time dim"]) -> Float[Tensor, "trial dim"]:
        query = self.query.expand(len(tokens), 1, -1)
        return self.attention(query, self.norm(tokens))[:, 0]


def _check(
    sessions: Mapping[str, int], heads: Mapping[str, Head], options: Mapping[str, Any]
) -> None:
    problems = []
    if not sessions:
        problems.append("it has no session")
    problems += [f"session '{name}' has no units" for name, n in sessions.items() if n < 1]
    if not heads:
        problems.append("it has nothing to predict; give it a head")
    if options["d_model"] < 1 or options["d_model"] % max(options["n_heads"], 1):
        problems.append(
            f"d_model is {options['d_model']}; it must be a multiple of n_heads {options['n_heads']}"
        )
    problems += [
        f"{name} is {options[name]}; it must be at least 1"
        for name in ("n_bins", "n_blocks", "n_heads")
        if options[name] < 1
    ]
    problems += [
        f"{name} is {options[name]}; it lies between 0 and 1"
        for name in ("dropout", "unit_dropout")
        if not 0 <= options[name] < 1
    ]
    raise_together(problems, heading="this decoder cannot be made")
