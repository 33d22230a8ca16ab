"""A result put into a file, complete and verified."""
