"""Handing an annotated file to others: its name on DANDI, its subject, its links, its soundness."""
