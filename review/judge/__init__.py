"""What people decide and note: verdicts, comments, accepted risks, samples, reveals, and the journals that keep them."""
