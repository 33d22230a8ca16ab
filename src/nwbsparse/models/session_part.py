"""A coder of several sessions, cut down to one of them: the same latents, that session's units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from nwbsparse.errors import BadInput, unknown
from nwbsparse.models.architecture import DECODER_BIAS, DICTIONARY, DISPERSION
from nwbsparse.models.coder import SparseCoder
from nwbsparse.models.encoders import WEIGHT, ModelAttention
from nwbsparse.models.record import CoderRecord, SessionSource

READ = ("offset", "scale", "pre_bias", "in_weight")
"""Tensors with one column per encoded unit, besides the encoder's weight."""
WRITTEN = (DICTIONARY, DECODER_BIAS, DISPERSION, "target_offset", "target_scale")
"""Tensors with one column per reconstructed unit, once for each bin or lag that is written."""


def coder_of_session(coder: SparseCoder, session: str) -> SparseCoder:
    """The part of a coder of several sessions that one session needs: a coder like any other.

    Its latents, biases, thresholds and attention are those of the whole coder; of everything that
    has a column per unit (read-in, read-out, means, scales) it has the columns of the session's
    units, which bear the ids that the session itself gives them. In the whole coder the units of
    other sessions stand at their mean and add nothing, so on the session's bins both give the same
    activations, up to the rounding of sums with fewer terms. Rows of the dictionary are no longer
    of unit length: the length of a row is how much of the latent is written in this session. The dims
    of an embedding are the same in all sessions: of a coder that reads one the part is the whole.

    Args:
        coder: what was learned from :func:`nwbsparse.join_sessions`.
        session: the name of one of its sessions.

    Returns:
        A new coder in evaluation mode. Its record tells the whole coder's id (``model_id``), the
        session and all sessions; ``source_sha256`` is the session's, where the whole coder knows it.

    Raises:
        BadInput: the coder has no such session, was not learned from joined sessions or is of one
            session already, or the session has no unit that is encoded or none that is reconstructed.
    """
    record = coder.record
    if record.part_of_several:
        raise BadInput(
            f"this coder is the part for the session '{record.session}' already; take the parts of "
            f"the whole coder ({record.model_id})"
        )
    known = record.session_names
    if session not in known:
        there = known or ("none: it was not learned from joined sessions",)
        raise unknown(session, there, what="session", of="the coder")
    inputs, targets = (_columns(record, ids, session) for ids in (record.unit_ids, record.targets))
    if not inputs or not targets:
        what = "encodes" if not inputs else "reconstructs"
        raise BadInput(
            f"the coder {what} no unit of the session '{session}', so it has no part of it"
        )
    sources = record.sessions or tuple(SessionSource(name) for name in known)
    own = next(one for one in sources if one.name == session)
    made = SparseCoder(
        replace(
            record,
            unit_ids=_own_ids(record.unit_ids, inputs) if record.of_units else record.unit_ids,
            target_ids=_own_ids(record.targets, targets) if record.apart else None,
            source_sha256=own.sha256,
            model_id=coder.id,
            session=session,
            sessions=sources,
        )
    )
    read = READ if isinstance(coder.architecture.encoder, ModelAttention) else (*READ, WEIGHT)
    weights: dict[str, Tensor] = {}
    for name, tensor in coder.state_dict().items():
        if name in read:
            tensor = _cut(tensor, coder.n_units, inputs)
        elif name in WRITTEN:
            tensor = _cut(tensor, coder.n_targets, targets)
        weights[name] = tensor.detach().cpu()
    made.load_state_dict(weights)
    return made.eval()


def _columns(record: CoderRecord, unit_ids: Sequence[str], session: str) -> list[int]:
    if not record.of_units:  # the dims of an embedding are those of all sessions
        return [*range(len(unit_ids))]
    return [at for at, one in enumerate(unit_ids) if one.partition("/")[0] == session]


def _own_ids(unit_ids: Sequence[str], columns: list[int]) -> tuple[str, ...]:
    """Ids as the session itself has them, which may hold a '/' of their own."""
    return tuple(unit_ids[at].partition("/")[2] for at in columns)


def _cut(tensor: Tensor, n_units: int, columns: list[int]) -> Tensor:
    """Some units of a tensor whose last axis has all units once, or once per bin after each other."""
    return tensor.unflatten(-1, (-1, n_units))[..., columns].flatten(-2).contiguous()
