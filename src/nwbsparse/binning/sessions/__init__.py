"""Several recordings side by side, and one as a coder of others reads it."""
