"""Widgets that know nothing of stores: they are handed rows and post messages."""
