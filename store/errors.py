"""What a store refuses, in sentences a person can act on."""

from __future__ import annotations


class StoreError(Exception):
    """A store cannot be opened, read or written; the text says what, where and what to do."""


class OlderSchemaError(StoreError):
    """The store is of an earlier schema; opening it to write brings it up to date."""


class Interrupted(StoreError):
    """A read was stopped by `Store.interrupt`, because its answer is no longer wanted."""


class NotKept(StoreError):
    """The raw bytes asked for were let go when their time was over; what they were is still known."""


class NotShown(NotKept):
    """The raw bytes asked for lie among those of other teams, which the login does not see."""


class Refused(StoreError):
    """The database refused what the login's roles do not allow."""
