"""From one sequence to another: an encoder's states, attention to them, a decoder, beam search."""
