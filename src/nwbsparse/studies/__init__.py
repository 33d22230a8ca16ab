"""Many models at once: what is to be made, who makes it, and the table of all of it."""
