"""What a person looks at in a browser: one look for reports and for the served page."""
