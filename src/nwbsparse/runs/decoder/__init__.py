"""Decoders of trials: fitted to recordings, kept in a folder, and measured beside simpler ones."""
