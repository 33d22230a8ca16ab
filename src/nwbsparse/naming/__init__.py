"""What things are called: numbers as names, several names in one text, units whose ids repeat."""
