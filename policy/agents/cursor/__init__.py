"""Cursor: what the lists of its command line (`cli-config.json`, `.cursor/cli.json`) and of its editor (`permissions.json`) let run.

Modelled on its published documentation of the time that `ADAPTER.modelled` names; no truth table of the program was at
hand. The documentation does not say how a compound command is compared, nor how lists of several files are put together:
where readings of it differ, the answer is *cannot judge*.
"""

from __future__ import annotations

from policy.agents.cursor.policy import Cursor, CursorPolicy

__all__ = ["ADAPTER", "Cursor", "CursorPolicy"]

ADAPTER = Cursor()
