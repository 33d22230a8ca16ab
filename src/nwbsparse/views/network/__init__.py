"""Figures and pages of a coder inside a network."""
