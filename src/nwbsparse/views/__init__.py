"""Figures and the one-file report: the only room that draws."""
