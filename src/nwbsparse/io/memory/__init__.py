"""Arrays, and files that are nothing but arrays, into a Session."""
