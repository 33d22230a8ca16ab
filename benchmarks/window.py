"""The window model of NLDisco's timing table, on counts of its shape.

    .venv/bin/python benchmarks/window.py [--updates 127] [--device cpu]

147,661 bins of 191 units in 1,906 trials, so that 130,507 windows of ten bins lie whole within one;
levels of 96 and 192 latents with k = 8 and 16, one code per window that reconstructs its last bin,
log error, auxiliary loss, batch 1,024. Published: 43.4 s for 1,280 updates on an H100. Fewer
updates are extrapolated to 1,280, which the words say; the first call's compilation is left out.
"""

import argparse
import json
import os
import time

import numpy as np

BINS, UNITS, TRIALS, WINDOW, BATCH, UPDATES = 147_661, 191, 1_906, 10, 1_024, 1_280
PUBLISHED = 43.4


def data_of(n_bins=BINS):
    """All for training, as theirs; every trial loses the first nine windows."""
    from made_bins import poisson_bins

    trials = np.arange(n_bins, dtype=np.int64) * TRIALS // BINS
    return poisson_bins(n_bins, UNITS, validation=0.0, segment=trials.astype(np.int32))


def config_of(device):
    from nwbsparse.options.config import Config
    from nwbsparse.options.presets import preset

    return Config(
        **preset("nldisco"), encoder="window", window=WINDOW, decoded="last",
        levels=("96:8", "192:16"), patience=10_000, device=device,
    )  # fmt: skip


def ours(updates, device="cpu", threads=2):
    """Seconds of ``fit`` on so many updates or a few more, scaled to 1,280."""
    import torch
    from made_bins import FULL_UPDATES, checks_of_a_full_training

    from nwbsparse.training.fit import fit

    torch.set_num_threads(threads)
    config = config_of(device)
    fit(data_of(12 * BATCH), config.replace(max_epochs=2))
    data = data_of()
    per_epoch = (BINS - TRIALS * (WINDOW - 1)) // BATCH
    epochs = max(1, min(round(updates / per_epoch), UPDATES // per_epoch))
    with checks_of_a_full_training(epochs * per_epoch / FULL_UPDATES):
        cpu, wall = time.process_time(), time.perf_counter()
        coder = fit(data, config.replace(max_epochs=epochs))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    made = coder.record.history[-1]["update"]
    scale = UPDATES / made
    return {
        "device": str(device), "updates": made, "cpu_s": round(cpu * scale, 2),
        "wall_s": round(wall * scale, 2), "load": round(os.getloadavg()[0], 2),
        "published_over_ours": round(PUBLISHED / (wall * scale), 2),
    }  # fmt: skip


def main():
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=UPDATES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(ours(given.updates, given.device, given.threads)))
        return
    import machine

    print(machine.words())
    print(f"{UPDATES} updates of the window model, {given.threads} threads, on {given.device}")
    found = [
        machine.ourselves(
            "window.py", "--one", "--updates", given.updates, "--threads", given.threads,
            "--device", given.device, threads=given.threads,
        )
        for _ in range(given.repeats)
    ]  # fmt: skip
    one = machine.best(found, "wall_s")
    if "failed" in one:
        print(one["failed"])
        return
    print(f"  {one['wall_s']} s ({one['cpu_s']} CPU s), from {one['updates']} updates, least of "
          f"{given.repeats}; published on an H100: {PUBLISHED} s")  # fmt: skip
    print(machine.load_words())


if __name__ == "__main__":
    main()
