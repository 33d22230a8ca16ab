"""How strongly channels follow a variable, cross-fitted, and what chance gives."""
