"""Labelled texts: words, n-grams, vectors."""
