"""Spike-sorter output into a Session."""
