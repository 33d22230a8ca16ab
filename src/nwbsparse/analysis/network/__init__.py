"""What a coder inside a network keeps, finds and is needed for, and what stands beside it."""
