"""A coder applied to bins: latents, reconstructions, and which units they are of."""
