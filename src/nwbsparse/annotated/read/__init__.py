"""A stored result opened again."""
