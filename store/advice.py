"""What a database objected to as one sentence: what, where and what to do."""

from __future__ import annotations

from store.errors import Interrupted, StoreError

_INTACT = "check that it is reachable and intact (`remit store check`)"
_BUSY = "another program has been writing to it for too long; try again when it is done"
_FULL = "the disk is full; free some space and run the same command again"
_LIMIT = "have this limit raised for the login (`ALTER ROLE NAME SET …`) and run the same command again; what was committed stays"

NOT_AVAILABLE = "55P03"
"""SQLSTATE of a lock that was not to be had in time."""

_STATES = {
    "25006": "this server is a copy for reading, or was set so: name the one that takes writes",
    "25P03": _LIMIT,
    "25P04": _LIMIT,
    "53100": _FULL,
    "53400": _LIMIT,
    NOT_AVAILABLE: _BUSY,
    "57P01": "the server ended the connection; run the same command again when it is up: what was committed stays",
}
"""Advice by SQLSTATE (PostgreSQL's appendix of error codes)."""

_WORDS = {
    "locked": _BUSY,
    "full": _FULL,
    "readonly": "check its permissions",
    "read-only": "check its permissions",
    "permission": "check its permissions",
    "too many": "all of its connections are taken; try again when some have ended",
    "connection slots": "all of its connections are taken; try again when some have ended",
    "starting up": "try again when the server is up",
    "shutting down": "try again when the server is up",
}
"""Advice by what SQLite says, and PostgreSQL to whoever cannot connect, which comes without a state."""

_CANCELLED, _WANTED = "57014", "user request"
"""A statement that was cancelled, and the word that says it was asked for rather than too slow."""


def explained(shown: str, what: str, error: BaseException) -> StoreError:
    """A driver's error, met as somebody was about to `what` (read or write) the store `shown`."""
    text = first_line(error)
    lower = text.lower()
    state = getattr(error, "sqlstate", None)
    if lower == "interrupted" or (what == "read" and state == _CANCELLED and _WANTED in lower):
        return Interrupted("this read was stopped, because its answer is no longer wanted")
    if state == _CANCELLED:
        advice = "somebody cancelled it; run the same command again: what was committed stays" if _WANTED in lower else _LIMIT
    elif state in _STATES:
        advice = _STATES[state]
    else:
        advice = next((advice for word, advice in _WORDS.items() if word in lower), _INTACT)
    return StoreError(f"cannot {what} the store {shown}: {text}; {advice}")


def first_line(error: BaseException) -> str:
    """What an error says, without the lines in which a driver goes on."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
