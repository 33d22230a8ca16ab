"""A recording in which nothing is odd, and the same with one thing odd about it."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from make.sessions import make_series, make_session, make_table
from nwbsparse.session import Events, Session, Traces

SECONDS = 600.0
N_UNITS = 12
RATE = 50.0
"""Hz of the position."""


def trains(*, rate=4.0, n_units=N_UNITS, stop=SECONDS, seed=0):
    """{unit id: spike times (s)} of independent units that fire between 1 and 1.5 times the rate."""
    rng = np.random.default_rng(seed)
    rates = rate * np.linspace(1, 1.5, n_units)
    return {f"u{i}": np.sort(rng.uniform(0, stop, int(r * stop))) for i, r in enumerate(rates)}


def place(*, stop=SECONDS, seed=0, name="position"):
    """A position in the plane (m) that wanders smoothly, with a little noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(0, stop, 1 / RATE)
    steps = gaussian_filter1d(rng.standard_normal((len(times), 2)), RATE, axis=0, mode="wrap")
    data = np.cumsum(steps / steps.std(), axis=0) / 100
    slow = 2 * np.pi * times / 12
    data = np.sin(data) + np.column_stack([np.cos(slow), np.sin(slow)])
    return make_series(name, times, data + 1e-3 * rng.standard_normal(data.shape), kind="position")


def trials(*, start=0.0, stop=SECONDS, seed=0, n=60):
    rng = np.random.default_rng(seed)
    begin = start + (stop - start) / n * np.arange(n)
    side = rng.choice(["left", "right"], n)
    return make_table(begin, begin + 0.9 * (stop - start) / n, side=("category", side))


def normal(**given) -> Session:
    """Ten minutes of twelve units, position and trials, in which nothing is odd."""
    usual = {
        "series": [place()], "intervals": {"trials": trials()}, "extent": (0.0, SECONDS),
    }  # fmt: skip
    spikes = given.pop("spikes", None)
    return make_session(trains() if spikes is None else spikes, **(usual | given))


def with_events(times) -> Session:
    return replace(normal(), events={"licks": Events("licks", np.sort(np.asarray(times, float)))})


def changed(**trains_of):
    """The usual trains, some of them changed by a function."""
    spikes = trains()
    return normal(
        spikes=spikes | {unit: change(spikes[unit]) for unit, change in trains_of.items()}
    )


def everywhere(change):
    return normal(spikes={unit: np.sort(change(times)) for unit, times in trains().items()})


def teleported(n=3) -> Session:
    """The usual position but for single samples 3 m away."""
    series = place()
    data = series.data.copy()
    for k in range(n):
        data[5000 * (k + 1)] += 3.0
    return normal(series=[replace(series, data=data)])


def traces(data, *, rate=10.0, bin_width=None) -> Session:
    """Units of a table (sample, unit) of activity."""
    n, n_units = data.shape
    times = (np.arange(n) + 0.5) / rate
    made = make_session({f"r{i}": [] for i in range(n_units)}, extent=(0.0, n / rate))
    return replace(made, traces=Traces("activity", data, times, bin_width))


def fluorescence(*, n=6000, n_units=N_UNITS, seed=0):
    """Transients of independent units over noise, float32."""
    rng = np.random.default_rng(seed)
    events = (rng.random((n, n_units)) < 0.01) * rng.gamma(3, 1, (n, n_units))
    kernel = np.exp(-np.arange(30) / 8)
    made = np.apply_along_axis(lambda one: np.convolve(one, kernel)[:n], 0, events)
    return (made + rng.normal(0, 0.2, (n, n_units))).astype(np.float32)


def counts(*, n=6000, n_units=N_UNITS, mean=0.3, seed=0):
    return np.random.default_rng(seed).poisson(mean, (n, n_units)).astype(np.uint8)
