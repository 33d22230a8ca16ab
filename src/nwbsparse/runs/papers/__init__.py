"""Published papers done again from one's own data, their claims answered by the numbers."""
