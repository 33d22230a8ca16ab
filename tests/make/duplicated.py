"""Recordings in which some units share spikes."""

import numpy as np

from make.recordings import write_recording


def train(rate, *, span=200.0, seed=0):
    """Sorted spike times (s), uniform over the span."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, span, int(rate * span)))


def duplicated(*, span=200.0, n_others=6):
    """Spike times per unit: 1 has half of the spikes of 2, a little late, and some of its own; 4 too
    of 3, whose spikes are fewer."""
    main, second = train(6.0, span=span, seed=0), train(4.0, span=span, seed=1)
    copy = np.sort(np.concatenate([main[::2] + 2e-4, train(0.5, span=span, seed=2)]))
    larger = np.sort(np.concatenate([second + 1e-4, train(2.0, span=span, seed=3)]))
    others = [train(3.0, span=span, seed=10 + at) for at in range(n_others)]
    return [others[0], copy, main, second, larger, *others[1:]]


def write_duplicated(path, **given):
    """A file of such units, ids 10, 11, …"""
    spikes = duplicated()
    ids = [10 + row for row in range(len(spikes))]
    return write_recording(path, spike_times=spikes, unit_ids=ids, **given)
