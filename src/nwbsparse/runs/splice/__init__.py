"""A coder inside a network, from recordings to a page: decoded, spliced, explained, ablated, steered."""
