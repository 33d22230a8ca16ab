"""Recordings whose truth is known, to see whether a method finds it."""
