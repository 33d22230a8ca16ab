"""A sparse coder inside a network: decoders of trials, sites of any network, coders put there."""
