"""The site, its options, formulas, drawings and pictures, and what runs its blocks."""
