"""Deriving tasks, lifelines and coverage from what was read, and only those that something new concerns."""
