"""Correlations, nulls and components, of any table of channels."""
