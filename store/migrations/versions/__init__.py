"""One module for each schema version, named after it."""
