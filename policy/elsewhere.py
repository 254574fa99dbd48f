"""Requests that stay where they are: shapes and counts are here, and what hangs on single rows is asked for where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Kinds: TypeAlias = "NDArray[np.uint8]"

Whose = Literal["task", "principal"]


class Row(Protocol):
    """One request of elsewhere: its cell, task, step, time (microseconds UTC) and what it states, as people write it."""

    @property
    def cell(self) -> int: ...
    @property
    def task(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def at(self) -> int | None: ...
    @property
    def request(self) -> dict[str, Any]: ...


class Elsewhere(Protocol):
    """What answers for the rows of a history whose shapes alone are known; `kinds` are codes of `policy.change` per cell."""

    @property
    def tasks(self) -> int:
        """Distinct tasks."""
        ...

    @property
    def shapes(self) -> int:
        """Distinct requests, by everything they state."""
        ...

    @property
    def developers(self) -> tuple[int, int]:
        """Developers with at least one request that has a time, and the days (UTC) on which each has one, added up."""
        ...

    @property
    def developer_known(self) -> NDArray[np.bool_]:
        """Per shape, whether its requests name a developer."""
        ...

    def distinct(self, whose: Whose, kinds: Kinds) -> Mapping[frozenset[int], int]:
        """How many tasks (or stated principals) have requests of exactly these kinds."""
        ...

    def rows(self, kinds: Kinds, order: Sequence[int], limit: int | None) -> Sequence[Row]:
        """The first requests of these kinds, kind after kind, each in the order (task, time, step)."""
        ...
