"""Which latents are active, and products with what is not zero."""
