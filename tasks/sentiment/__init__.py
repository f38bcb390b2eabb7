"""Sentiment: one label a text."""
