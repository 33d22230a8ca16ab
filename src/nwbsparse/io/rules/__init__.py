"""Rules that all readers share."""
