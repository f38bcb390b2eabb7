"""The training loop, its state, and the checkpoints it goes on from."""
