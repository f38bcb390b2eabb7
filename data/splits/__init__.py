"""How data is cut, batched, and told apart."""
