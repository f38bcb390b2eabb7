"""Pages, their pictures, and what makes them."""
