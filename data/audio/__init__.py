"""Recordings: read, turned into log-mel features, listed with their texts and speakers."""
