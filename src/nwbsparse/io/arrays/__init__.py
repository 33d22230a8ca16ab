"""Readers of what is in memory: NumPy, xarray, pynapple, suite2p."""
