"""How good a coder is: reconstruction, sparsity, spectrum, stability."""
