"""Files that others get, or that broke."""
