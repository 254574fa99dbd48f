"""Where the review of a thing stands: what was read, judged, judged twice, or is overdue."""
