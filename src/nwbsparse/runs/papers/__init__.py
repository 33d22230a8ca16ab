"""Published papers done again from one's own data, with controls, and their claims answered by the numbers."""
