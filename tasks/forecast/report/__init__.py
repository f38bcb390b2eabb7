"""What a forecaster adds to its report."""
