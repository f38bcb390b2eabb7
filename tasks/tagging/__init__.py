"""Tagging: one tag a token."""
