"""Where actions are done: the screens, dialogs and lists of the dashboard by name."""

from __future__ import annotations

EVERYWHERE = "everywhere"
OVERVIEW = "overview"
QUEUE = "queue"
TASK = "task"
POLICY = "policy"
SOURCES = "sources"
IMPORT = "import"
CREDENTIALS = "credentials"
REPORT = "report"
CONTROLS = "controls"
FINDINGS = "findings"
VERSIONS = "versions"
PROPOSALS = "proposals"
DIALOG = "dialog"
JUDGING = "judging"
COMMENTS = "comments"
TABLE = "table"
PANEL = "panel"
SHEET = "sheet"
COMMAND = "command"
TOUR = "tour"
VIEWS = "views"
SIGNING = "signing"

DIALOGS = frozenset({DIALOG, SHEET, COMMAND, JUDGING, COMMENTS, TOUR, VIEWS, SIGNING})
"""The scopes of dialogs."""

NOUNS = {
    EVERYWHERE: "remit",
    SOURCES: "source",
    CREDENTIALS: "credential",
    VERSIONS: "version",
    PROPOSALS: "proposal",
    CONTROLS: "control",
    FINDINGS: "finding",
    TABLE: "list",
}
"""What the palette calls the things of a scope, where that is not the scope's own name."""


def at_once(scope: str) -> tuple[str, ...]:
    """The scopes whose keys work together on a screen of this scope; a dialog hides those of the screen below it."""
    if scope in DIALOGS:
        return (scope, DIALOG)
    if scope == OVERVIEW:
        return (scope, EVERYWHERE)
    return tuple(dict.fromkeys((scope, EVERYWHERE, TABLE, PANEL)))
