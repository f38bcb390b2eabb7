"""The report of a run: one HTML file that says how good it is, on what, and how to repeat it."""
