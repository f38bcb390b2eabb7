"""Runs of one task side by side."""
