"""Recording → labelled table of bins: one binning rule, aligned behaviour, honest splits."""
