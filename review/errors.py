"""Errors a person can act on: what, where and what to do. Only the CLI and the dashboard print them."""

from __future__ import annotations


class RemitError(Exception):
    """A condition with a sentence for its reader; `code` is the exit code the CLI gives it."""

    code = 2


class SeveralError(RemitError):
    """Several conditions at once, a line each, all of our own wording or made harmless."""


class UnreadableError(RemitError):
    """A file named by the user could not be read."""

    code = 3


class AlteredError(RemitError):
    """A pack or journal is altered, incomplete or wrongly signed."""

    code = 4


class NotFoundError(RemitError):
    """No such task, step, finding, credential or record."""


def foreseen(error: BaseException) -> tuple[str, int] | None:
    """The sentence and exit code of a condition that is no defect; None for anything else."""
    if isinstance(error, RemitError):
        return str(error), error.code
    from store import StoreError

    return (str(error), 2) if isinstance(error, StoreError) else None
