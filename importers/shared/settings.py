"""What the settings of several agents have in common: whose they are, what they put in force, and that in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from importers.shared.fields import Json, mapping, texts

WORDS = 2000
"""Characters of one setting that are told."""


class Program(Protocol):
    """One agent's settings; a file of them names neither a session nor a time nor its own scope."""

    name: str
    """The enforcement point."""

    def weigh(self, settings: Json) -> int:
        """How surely these are this program's, as `Importer.sniff` says it."""
        ...

    def stated(self, settings: Json) -> Json:
        """What of these is policy: a change of it is another revision."""
        ...

    def mode(self, settings: Json) -> str:
        """When the program asks, as it names that; "" where nothing is said."""
        ...

    def sandbox(self, settings: Json) -> str:
        """How commands are confined, as it names that; "" where nothing is said."""
        ...

    def words(self, settings: Json) -> Iterable[str]:
        """A line for each rule and setting."""
        ...


def parts(settings: Json, names: Iterable[str]) -> Json:
    """Those of the settings that have these names."""
    return {name: settings[name] for name in sorted(set(names) & settings.keys())}


def told(name: str, value: object) -> str:
    """A setting in words: its values where it is a list, its own text else."""
    listed = ", ".join(texts(value)) if isinstance(value, list) else ""
    return f"{name}: {(listed or str(value))[:WORDS]}"


def servers(settings: object) -> list[str]:
    """The MCP servers that are set up, by name."""
    names = sorted(str(name)[:200] for name in mapping(settings))
    return [f"MCP servers: {', '.join(names)}"] if names else []


def enabled(value: object) -> str:
    """A sandbox that is a truth value or a name."""
    if value is None:
        return ""
    return value[:100] if isinstance(value, str) else "disabled" if value is False else "enabled"
