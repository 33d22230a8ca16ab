"""The outside world: recordings in, results out. Arrays and tables only, no tensors."""
