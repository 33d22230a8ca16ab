"""What a person can choose, and what is chosen for them."""
