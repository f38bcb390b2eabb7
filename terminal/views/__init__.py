"""What a person sees: reports, comparisons, answers."""
