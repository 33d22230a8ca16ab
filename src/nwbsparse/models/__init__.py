"""Sparse coders: tensors only, no files and no tables."""
