"""Which units make a latent."""
