"""What a person or a program asks of a trained run, and what comes back."""
