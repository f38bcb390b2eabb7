"""Running text: documents as one stream of symbols, cut into passages."""
