"""The demonstration: simulations with known truth, through the same path as a lab's recording."""
