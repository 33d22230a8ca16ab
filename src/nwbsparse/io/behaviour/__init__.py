"""Behaviour that lies in another file than the units, joined to them."""
