"""Reading logs in: found, recognised, cleaned, read ahead and stored, each file reconciled to its last record."""
