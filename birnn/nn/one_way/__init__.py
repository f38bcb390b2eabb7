"""One-way models of running text, and their states as features of tokens."""
