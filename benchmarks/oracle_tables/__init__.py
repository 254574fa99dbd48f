"""Readers of the truth tables, one for each table."""
