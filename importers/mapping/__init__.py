"""Formats as data: the engine behind `importers/mappings/*.yaml` and `remit import --mapping`."""
