"""One invented organisation's working day as its enforcement points would have logged it, with the truth beside it."""

from samplegen.day import generate
from samplegen.scene import Noise

__all__ = ["Noise", "generate"]
