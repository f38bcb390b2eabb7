"""Files written whole or not at all, and files that a stranger gave."""
