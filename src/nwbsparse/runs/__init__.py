"""The whole path in one call."""
