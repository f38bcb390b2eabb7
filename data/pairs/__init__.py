"""Pairs of texts, each a source and what it is in the target's language: read, cut, batched."""
