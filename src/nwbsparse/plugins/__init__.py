"""Our coders in the clothes of other packages."""
