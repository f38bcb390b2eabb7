"""What is made from the code and for it: documentation."""
