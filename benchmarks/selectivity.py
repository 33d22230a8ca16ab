"""All selectivities, AUROCs and R² of thousands of latents and hundreds of conditions, with nulls.

    .venv/bin/python benchmarks/selectivity.py [--latents 4096] [--bins 180000] [--sample 200]

Made up: k = 32 latents active in each bin (an eighth of them following a class of a variable), 20
variables of ten classes that last 1 s on average, 20 continuous covariates. Ours: effect sizes of
every latent and condition with 100 circular shifts each; R² with every covariate, fitted on half of
the bins; and r of every latent with every variable, cross-fitted, with its interval by leaving out
blocks and up to 2,000 circular shifts, fitted anew in each, after removing drift. The peer is
``sklearn.metrics.roc_auc_score`` in a loop, without any null, on a sample of latents × conditions,
extrapolated to all of them.
"""

import argparse
import json
import time

import numpy as np

VARIABLES, CLASSES, K, WIDTH = 20, 10, 32, 0.02


def made(n_bins, n_latents, seed=0):
    """(activations as rows of CSR, (variable, bin) classes, (covariate, bin) values)."""
    from scipy import sparse
    from scipy.ndimage import gaussian_filter1d

    rng = np.random.default_rng(seed)
    stay = 1.0 / WIDTH
    codes = np.empty((VARIABLES, n_bins), np.int32)
    for row in codes:
        change = rng.random(n_bins) < 1 / stay
        row[:] = rng.integers(0, CLASSES, n_bins)[np.maximum.accumulate(change * np.arange(n_bins))]
    column = rng.integers(0, n_latents, (n_bins, K), dtype=np.int32)
    for at in range(K // 8):  # some follow the class of a variable
        variable = at % VARIABLES
        column[:, at] = at * CLASSES + codes[variable] if n_latents >= 4 * CLASSES * (at + 1) else 0
    value = rng.exponential(1.0, (n_bins, K)).astype(np.float32) + np.float32(0.01)
    rows = np.repeat(np.arange(n_bins), K)
    table = sparse.coo_matrix((value.ravel(), (rows, column.ravel())), shape=(n_bins, n_latents))
    table = table.tocsr()
    noise = rng.standard_normal((VARIABLES, n_bins)).astype(np.float32)
    return table, codes, gaussian_filter1d(noise, stay, axis=1)


def dataset(table, covariates):
    """The same as the Latents and Binned datasets that ``explain`` works on."""
    import xarray as xr

    from nwbsparse import names

    n_bins, n_latents = table.shape
    latents = xr.Dataset(
        {
            names.VALUE: (names.ENTRY, table.data),
            names.LATENT_INDEX: (names.ENTRY, table.indices.astype(np.uint16)),
            names.INDPTR: (names.TIME_EDGE, table.indptr.astype(np.uint64)),
        },
        coords={names.TIME: np.arange(n_bins) * WIDTH, names.LATENT: np.arange(n_latents)},
    )
    kind = {names.ROLE: names.ROLE_COVARIATE, names.KIND: names.CONTINUOUS}
    binned = xr.Dataset(
        {f"covariate{at}": (names.TIME, row, kind) for at, row in enumerate(covariates)}
    )
    return latents, binned


def design_of(table):
    """All bins of one session; the slow rate is that of all latents together."""
    from scipy.ndimage import gaussian_filter1d

    from nwbsparse.analysis.association.design import SLOW, Design
    from nwbsparse.analysis.statistics.slow_drift import drift_basis

    n_bins = table.shape[0]
    times, zero = np.arange(n_bins) * WIDTH, np.zeros(n_bins, np.int64)
    rate = gaussian_filter1d(np.asarray(table.sum(axis=1)).ravel(), SLOW / WIDTH)
    basis = drift_basis(times, rate)
    return Design(np.arange(n_bins), times, zero, zero, {}, basis, WIDTH, 2000, 0)


def ours(n_bins, n_latents):
    import resource

    from nwbsparse import names
    from nwbsparse.analysis.apply.activity import activity_of
    from nwbsparse.analysis.association.associate import associate
    from nwbsparse.analysis.association.design import detrended
    from nwbsparse.analysis.behaviour.chance import chance
    from nwbsparse.analysis.behaviour.claims import claims
    from nwbsparse.analysis.behaviour.coding import Coded
    from nwbsparse.analysis.behaviour.conditions import condition_effects
    from nwbsparse.analysis.behaviour.tuning import behaviour_r2

    def everything(n_bins, n_latents, table, codes, covariates):
        bins = np.arange(n_bins)
        latents, binned = dataset(table, covariates)
        labels = tuple(str(at) for at in range(CLASSES))
        variables = [
            Coded(f"variable{at}", names.CATEGORICAL, row, labels, shape=(CLASSES,))
            for at, row in enumerate(codes)
        ]
        design = design_of(table)
        clock = [time.perf_counter()]
        entries = activity_of(latents)
        effect = condition_effects(entries, variables, bins)  # alone, to be compared; again below
        clock.append(time.perf_counter())
        r2 = behaviour_r2(entries, binned, list(binned.data_vars), bins % 2 == 0, bins % 2 == 1)
        clock.append(time.perf_counter())
        null = chance(entries, variables, design, n_draws=100)
        clock.append(time.perf_counter())
        activity = detrended(entries, design)
        found = [associate(activity, one, design, number=at) for at, one in enumerate(variables)]
        made = claims(found, n_latents, 0.05)
        clock.append(time.perf_counter())
        assert effect.auroc.shape == null.p.shape == (n_latents, VARIABLES * CLASSES)
        assert r2.shape == (n_latents, VARIABLES) and np.isfinite(made.p).mean() > 0.9
        return np.diff(clock), float((made.status == "found").mean())

    everything(3_000, 64, *made(3_000, 64))  # compile the loops
    data = made(n_bins, n_latents)
    started = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    seconds, share = everything(n_bins, n_latents, *data)
    return {
        "wall_s": round(float(seconds.sum()), 1),
        "cpu_s": round(time.process_time() - started, 1),
        "effects_s": round(float(seconds[0]), 2),
        "r2_s": round(float(seconds[1]), 2),
        "matrix_nulls_s": round(float(seconds[2]), 1),
        "associations_s": round(float(seconds[3]), 1),
        "found": round(share, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "peak_before_mb": round(before),
    }


def theirs(n_bins, n_latents, sample):
    """Seconds of one AUROC by scikit-learn, mean over a sample, times all of them."""
    from sklearn.metrics import roc_auc_score

    table, codes, _ = made(n_bins, n_latents)
    table = table.tocsc()
    rng = np.random.default_rng(1)
    spent = 0.0
    for latent in rng.integers(0, n_latents, sample):
        score = table[:, latent].toarray().ravel()
        truth = codes[rng.integers(VARIABLES)] == rng.integers(CLASSES)
        begun = time.perf_counter()
        roc_auc_score(truth, score)
        spent += time.perf_counter() - begun
    n_all = n_latents * VARIABLES * CLASSES
    return {"wall_s": round(spent / sample * n_all, 1), "sample": sample, "of": n_all}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bins", type=int, default=180_000)
    parser.add_argument("--latents", type=int, default=4_096)
    parser.add_argument("--sample", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one == "ours":
        print(json.dumps(ours(given.bins, given.latents)))
        return
    if given.one == "theirs":
        print(json.dumps(theirs(given.bins, given.latents, given.sample)))
        return
    import machine

    print(machine.words())
    size = ("--bins", given.bins, "--latents", given.latents, "--sample", given.sample)
    found, peer = (
        machine.ourselves("selectivity.py", "--one", one, *size, threads=given.threads)
        for one in ("ours", "theirs")
    )
    for one in (found, peer):
        if "failed" in one:
            print(one["failed"])
            return
    print(
        f"{given.latents:,} latents × {VARIABLES * CLASSES} conditions × {given.bins:,} bins, "
        f"k = {K}: {found['wall_s']} s ({found['cpu_s']} CPU s), peak {found['peak_mb']:,} MB"
    )
    print(
        f"  effect sizes {found['effects_s']} s; R² {found['r2_s']} s; 100 shifts of the whole "
        f"matrix {found['matrix_nulls_s']} s; r, intervals and 2,000 shifts of each variable "
        f"{found['associations_s']} s ({found['found']:.0%} of latents found)"
    )
    print(
        f"  roc_auc_score in a loop: {peer['wall_s']:,} s without nulls, extrapolated from "
        f"{peer['sample']} of {peer['of']:,}; {peer['wall_s'] / found['wall_s']:.0f} × ours with nulls, "
        f"{peer['wall_s'] / found['effects_s']:,.0f} × ours without"
    )
    print(machine.load_words())


if __name__ == "__main__":
    main()
