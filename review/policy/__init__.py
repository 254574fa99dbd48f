"""Policies of any language: checked, explained, tested, dry-run against the history, mined and published."""
