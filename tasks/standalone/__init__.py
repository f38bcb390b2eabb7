"""Scripts that are copied beside exported graphs; each runs with numpy and onnxruntime alone."""
