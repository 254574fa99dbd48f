"""One invented organisation's working day as its enforcement points would have logged it, with the truth beside it."""

from samplegen.day import generate

__all__ = ["generate"]
