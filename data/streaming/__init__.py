"""Texts that do not fit in memory: read by shards, split by what they say, shuffled in a buffer."""
