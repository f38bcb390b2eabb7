"""A run that begins where another ended: what is kept of it, and what it forgets."""
