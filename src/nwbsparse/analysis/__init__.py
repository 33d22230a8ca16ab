"""Model and data → numbers with names."""
