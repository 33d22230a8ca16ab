"""The power of a signal in a band of frequencies: what is meant by it, and how it is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sos2zpk, sosfiltfilt

ORDER = 4
"""Of the Butterworth filter; it runs forwards and backwards, so the phase stays."""

POWER_RATE = 200.0
"""Hz. Power is kept at this rate or a little above it: two values in the narrowest bin (10 ms)."""

_SETTLED = 1e-7


@dataclass(frozen=True)
class BandPower:
    """Power (unit²) of a signal between two frequencies, at a lower rate.

    1. A Butterworth band-pass of order 4, forwards and backwards: no shift in time.
    2. Its square.
    3. A Gaussian of half a period of the lower edge, which flattens the ripple of the square.
    4. Means over non-overlapping blocks of samples, as many as give 200 Hz: a later bin may take
       the mean of them, for the mean of means is the mean.

    So a sine of amplitude A inside the band gives A²/2, one outside about 0, and one on either
    edge a quarter of A²/2.
    """

    low: float
    high: float
    rate: float
    """Hz, of the signal."""

    @property
    def n_per_block(self) -> int:
        return max(1, int(self.rate // POWER_RATE))

    @property
    def sigma(self) -> float:
        """Of the Gaussian, in samples."""
        return self.rate / (2 * self.low)

    @property
    def sections(self) -> np.ndarray:
        band = [self.low, self.high]
        return np.asarray(butter(ORDER, band, btype="bandpass", fs=self.rate, output="sos"))

    @property
    def reach(self) -> int:
        """Samples on either side that the power of a moment depends on."""
        poles = np.asarray(sos2zpk(self.sections)[1])
        slowest = float(np.abs(poles).max())
        settle = np.log(_SETTLED) / np.log(min(slowest, 1 - 1e-9))
        return int(np.ceil(settle + 4 * self.sigma)) + 1

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        """The smoothed power at every sample of a gap-free signal."""
        pad = min(3 * (2 * len(self.sections) + 1), len(signal) - 1)
        filtered = sosfiltfilt(self.sections, signal, padlen=pad)
        return gaussian_filter1d(filtered**2, self.sigma, mode="reflect")
