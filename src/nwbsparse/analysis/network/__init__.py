"""A coder inside a network: what it keeps, what its latents stand for, what goes when they go."""
