"""Where copied text lies besides the clipboard: OSC 52 is not taken by every terminal, and no terminal says so."""

from __future__ import annotations

import os
from pathlib import Path


def keep(text: str, path: Path) -> str:
    """Write a copied text to its file, for its owner alone; the words that tell of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        return f"; not kept in {path}: {error.strerror}"
    return f"; also in {path}"
