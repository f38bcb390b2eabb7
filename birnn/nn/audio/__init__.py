"""From log-mel frames to symbols: normalising, augmenting, subsampling, and CTC."""
