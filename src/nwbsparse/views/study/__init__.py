"""A page about many fits: what was asked, what the numbers answer, the figures; as HTML and Markdown."""
