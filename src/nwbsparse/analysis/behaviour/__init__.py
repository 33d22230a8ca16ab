"""What latents follow: covariates, conditions, events, and how sure that is."""
