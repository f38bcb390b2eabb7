"""What a score means: metrics, resamples, differences."""
