"""report.json: the whole report in its own versioned schema, as canonical JSON (RFC 8785), and that schema beside it."""

from __future__ import annotations

from pathlib import Path

import rfc8785

from reports.canonical import Streamed, write_canonical
from reports.document import json_schema
from reports.renderers.base import Document


class CanonicalJson:
    """The machine-readable report; its record count is the number of findings, blind spots included."""

    id = "json"
    title = "JSON (canonical)"
    order = 10

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        # What names many findings is written piece by piece.
        sections = [section | {"controls": Streamed(section["controls"])} for section in document["frameworks"]]
        large = {name: Streamed(document[name]) for name in ("findings", "credentials")}
        write_canonical(folder / "report.json", document | large | {"frameworks": sections})
        (folder / "report.schema.json").write_bytes(rfc8785.dumps(json_schema()))
        return {"report.json": len(document["findings"]), "report.schema.json": -1}


RENDERER = CanonicalJson()
