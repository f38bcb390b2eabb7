"""The contract of a task, and what several tasks share."""
