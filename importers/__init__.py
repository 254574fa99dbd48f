"""Foreign bytes to records to events: one module per format, found by the registry; no database, no screen."""

from __future__ import annotations

from importers.cutting.containers import GROWING, NotRecognised
from importers.cutting.salvage import RepairedRecord
from importers.detect import OpenSource, open_source

__all__ = ["GROWING", "NotRecognised", "OpenSource", "RepairedRecord", "open_source"]
