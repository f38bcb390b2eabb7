"""A run: trained, reported, kept in its folder, taken up again."""
