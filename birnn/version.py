"""The version: of the package, of runs and of exports."""

__version__ = "0.1.0"
