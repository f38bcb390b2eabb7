"""Forecasting: what comes next in a series, with intervals."""
