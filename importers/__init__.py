"""Foreign bytes to records to events: one module per format, found by the registry; no database, no screen."""
