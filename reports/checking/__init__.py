"""What a pack's own `verify.py` is made of: the standard library alone, nothing else of Remit's (`reports.bundle` puts it together)."""
