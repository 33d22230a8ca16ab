"""How long the published sweep takes: 540 sparse autoencoders, ours beside a plain loop.

    NWBSPARSE_DATA=… .venv/bin/python benchmarks/naik_sweep.py [--dims 8 16 32 64] [--epochs 5]

135 coders (27 standard, 27 TopK, 81 with the exponential penalty; ``naik_grid(as_published=True)``:
batches of 512, the last one of a pass smaller) on each of the four embeddings of one rat (``buddy``, or
random unit vectors of that shape). Both contenders in this process, on one thread, one after the other for
every size and kind, ``--repeats`` times, the least CPU of each. What is measured is a sample, scaled to 50
epochs:

- the loop: one coder after the other with a DataLoader (``peers/dataloader_loop.py``), a coder of each
  kind and width, the median of ``--epochs`` epochs after one of warm-up, times the coders of that kind and
  width in the grid: rates, penalties and k do not change the time. It does not validate.
- ours: all coders of a kind with ``fit_many`` for one epoch and for ``--epochs`` more, with as many looks at
  the validation bins per update as the whole training makes. What is the same for both (setting up) counts
  once, the difference for the other 49.

Ratios are of CPU time; only those of one run say something.
"""

import argparse
import time
from collections import defaultdict

import numpy as np
from stack import EPOCHS, embedding  # also puts peers/ on the path

KINDS = {"standard": ("l1", "l1"), "topk": ("topk", "l1"), "jumprelu": ("l1", "exponential")}
"""What the loop calls them → sparsifier and penalty of ours."""


def loop_seconds(train, n_dims, kind, batch, epochs):
    from dataloader_loop import COPIES, EXPANSIONS, train_seconds

    one = {"k": 16, "lr": 1e-3, "penalty": 1e-3, "bandwidth": 1e-3, "batch": batch}
    return COPIES[kind] * sum(
        train_seconds(train, kind, expansion * n_dims, epochs=epochs, **one)[0]
        for expansion in EXPANSIONS
    )


def our_seconds(data, grid, epochs):
    one, more = _our_seconds(data, grid, 1), _our_seconds(data, grid, 1 + epochs)
    return one + (more - one) / epochs * (EPOCHS - 1)


def _our_seconds(data, grid, epochs):
    from made_bins import checks_of_a_full_training

    from nwbsparse.training.fit import fit_many

    short = [config.replace(max_epochs=epochs) for config in grid]
    with checks_of_a_full_training(epochs / EPOCHS):
        began = time.process_time()
        made = fit_many(data, short)
        spent = time.process_time() - began
    failed = [one for one in made if isinstance(one, Exception)]
    if failed:
        raise failed[0]
    return spent


def main():
    import machine
    import torch
    from made_bins import TRAIN, VALIDATION, Bins

    from nwbsparse.options.presets import naik_grid
    from nwbsparse.training.fit import fit_many

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--epochs", type=int, default=5, help="measured of each contender")
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine.words())
    print(
        f"CPU s of {EPOCHS} epochs on one thread, both scaled from {given.epochs}: loop / ours = ratio"
    )
    rows, sums = [], defaultdict(lambda: np.zeros(2))
    for n_dims in given.dims:
        train, validation, real = embedding(n_dims)
        split = np.repeat([TRAIN, VALIDATION], [len(train), len(validation)]).astype(np.int8)
        data = Bins(np.concatenate([train, validation]), split)
        grid = naik_grid(as_published=True, n_units=n_dims)
        batch = grid[0].batch_size
        cells = {}
        for kind, (sparsifier, penalty) in KINDS.items():
            of_kind = [
                one for one in grid if (one.sparsifier, one.penalty) == (sparsifier, penalty)
            ]
            fit_many(data, [one.replace(max_epochs=1) for one in of_kind[::9]])  # compiled, warm
            found = [
                (
                    loop_seconds(train, n_dims, kind, batch, given.epochs),
                    our_seconds(data, of_kind, given.epochs),
                )
                for _ in range(given.repeats)
            ]
            cells[kind] = np.min(found, axis=0)
            sums[kind] += cells[kind]
        together = sum(cells.values())
        sums["all"] += together
        name = f"{n_dims}, {'buddy' if real else 'random'}"
        rows.append((name, *map(words, [*cells.values(), together])))
    rows.append(("together", *(words(sums[kind]) for kind in [*KINDS, "all"])))
    machine.table(("dims", "27 standard", "27 TopK", "81 exponential", "all 135"), rows)
    print(machine.load_words())


def words(pair):
    loop, ours = pair
    return f"{loop:.0f} / {ours:.0f} = {loop / ours:.1f}"


if __name__ == "__main__":
    main()
