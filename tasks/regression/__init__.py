"""Per-step regression: the model the project grew from."""
