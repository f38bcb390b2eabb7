"""Trained runs as ONNX graphs that need no torch."""
