"""The elements of a stored result, one to a file."""
