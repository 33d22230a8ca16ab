"""Makers of what tests look at: recordings, sessions, coders, results; all seeded."""
