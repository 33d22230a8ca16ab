"""confirm(): which latents mean the same in every seed, and in both halves of a recording."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nwbsparse import names
from nwbsparse.errors import BadInput
from nwbsparse.schema import check

ALIKE = 0.5
"""Each half must show at least this share of the association in all bins."""
NO_SEEDS = "not assessable: one seed says nothing about stability; train 5 (seeds=5)"


def confirm(attribution: xr.Dataset, stability: xr.Dataset | None = None) -> xr.Dataset:
    """Say which latents are confirmed: the headline of a recording.

    A latent is *confirmed* when

    1. it comes back: in the other consensus of seeds, or, of plain stacks, in 80 % of the other
       seeds (:func:`nwbsparse.stability`),
    2. its association has q < ``alpha``,
    3. the even and the odd blocks of the recording each show at least half of its r. As the two
       halves average to about the whole, neither is then more than about three times the other.

    Args:
        attribution: what :func:`nwbsparse.explain` gave.
        stability: what :func:`nwbsparse.stability` gave with the same coder as the first; without
            it nothing is confirmed and ``confirmed_status`` says why.

    Returns:
        The attribution with ``confirmed(latent)`` (bool), ``confirmed_status(latent)`` (text:
        'confirmed', 'not confirmed: why' or 'not assessable: why') and, with stability, the
        attribute ``n_confirmed_latents``. Calling it again replaces what was said before.

    Raises:
        BadInput: the stability is of another coder.
    """
    check(attribution, names.ATTRIBUTION)
    alpha = float(attribution.attrs["alpha"])
    status = attribution["association_status"].values
    q, association = (attribution[f"association{end}"].values for end in ("_q", ""))
    halves = np.stack([attribution[f"association_half_{at}"].values for at in (1, 2)], axis=1)
    n_latents = len(status)
    stable = np.zeros(n_latents, dtype=bool)
    if stability is not None:
        _check_same(attribution, stability)
        stable = stability["stable"].values.astype(bool)
    said = []
    for latent in range(n_latents):
        if not np.isfinite(q[latent]):
            said.append(str(status[latent]))
        elif stability is None:
            said.append(NO_SEEDS)
        elif q[latent] >= alpha:
            said.append(f"not confirmed: q is not below {alpha:g}")
        elif not np.isfinite(halves[latent]).all():
            said.append("not assessable: no activity in the even or in the odd blocks")
        elif not halves_agree(halves[latent], association[latent]):
            first, second = halves[latent]
            said.append(
                f"not confirmed: {first:.2g} and {second:.2g} in the even and the odd blocks"
            )
        elif not stable[latent]:
            said.append("not confirmed: it does not come back in other seeds")
        else:
            said.append("confirmed")
    confirmed = np.array([one == "confirmed" for one in said], dtype=bool)
    attrs = {k: v for k, v in attribution.attrs.items() if k != "n_confirmed_latents"}
    if stability is not None:
        attrs["n_confirmed_latents"] = int(confirmed.sum())
    made = attribution.assign(
        confirmed=(names.LATENT, confirmed),
        confirmed_status=(names.LATENT, np.array(said, dtype=object)),
    )
    made.attrs = attrs
    return made


def halves_agree(halves: np.ndarray, association: float) -> bool:
    """Whether both halves show the sign of the whole and at least half of its size."""
    return bool(association > 0 and (halves >= ALIKE * association).all())


def _check_same(attribution: xr.Dataset, stability: xr.Dataset) -> None:
    of, other = attribution.attrs[names.CODER_ID], stability.attrs.get(names.CODER_ID)
    if of != other:
        raise BadInput(
            "the stability is of another coder than the attribution: pass what "
            f"stability([coder, …], data) gave with this coder ({of[:12]}) first, not {str(other)[:12]}"
        )
