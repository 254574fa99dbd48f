"""What several formats share: reading hostile JSON, what calls and requests mean, how agents' sessions are told."""
