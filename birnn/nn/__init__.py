"""Encoders, embedders, heads' parts and the engines that run them: modules of tensors."""
