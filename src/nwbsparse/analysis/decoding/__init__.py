"""Behaviour read out of latents and what they are compared with."""
