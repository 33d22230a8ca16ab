"""Training: one engine for one coder or a stack of them."""
