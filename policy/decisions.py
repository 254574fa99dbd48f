"""What any policy format answers over a whole history: one effect per shape, who decided it, what was missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import msgspec

from policy.diagnostics import Checked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from policy.history import History

Bits: TypeAlias = "NDArray[np.uint8]"
DEFAULT = -1


class RuleRow(msgspec.Struct, frozen=True):
    """A rule as the dry-run lists it; `hits` is the number of requests it certainly matches."""

    id: str
    effect: str
    hits: int
    expired: bool = False


class Decisions(msgspec.Struct, frozen=True, eq=False):
    """Answers per shape: `effect` codes of `policy.model`, `decider` the deciding rule's place in `rules` or DEFAULT.

    `missing` says, for the attributes that keep shapes from being judged, which shapes (packed bits). `matched` yields
    the shapes a rule certainly matches.
    """

    effect: NDArray[np.uint8]
    decider: NDArray[np.int32]
    rules: tuple[RuleRow, ...]
    missing: dict[str, Bits]
    matched: Callable[[int], Bits]


Progress: TypeAlias = Callable[[int, int], bool]
"""Told how many of how many evaluations are done; False stops them. Called from the thread that evaluates."""


class Cancelled(Exception):
    """An evaluation was told to stop; what it had computed is kept for the next."""


class EngineFailed(RuntimeError):
    """A policy engine gave no answer: it took too long, used too much or ended; the message is one sentence for people."""


class AnyPolicy(Protocol):
    """What every format's checked policy has."""

    @property
    def format(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...


P = TypeVar("P", bound=AnyPolicy)
P_contra = TypeVar("P_contra", bound=AnyPolicy, contravariant=True)


class Replay(Protocol[P_contra]):
    """A format's evaluator over one history; it keeps what it has computed for the next, slightly different policy."""

    def decide(self, policy: P_contra, progress: Progress | None = None) -> Decisions:
        """The answers; `progress` is told from time to time, and `Cancelled` is raised where it says to stop."""
        ...


class TestResult(msgspec.Struct, frozen=True):
    """How one example of a rule came out: `got` is matched, not matched or unknown; `missing` says why it is unknown."""

    __test__ = False  # not a test, whatever its name tells pytest

    rule: str
    kind: str
    line: int
    ok: bool
    got: str
    missing: tuple[str, ...]
    message: str


@runtime_checkable
class PolicyFormat(Protocol[P]):
    """One policy language: a module in `policy/formats` that ends in `FORMAT = <Name>()`, or an entry point.

    `explain` takes a request as people write it and answers in the shape of `remit policy explain`.
    """

    id: str
    title: str

    def check(self, text: str, as_of: int | None = None) -> Checked[P]: ...

    def replay(self, history: History) -> Replay[P]: ...

    def explain(self, policy: P, request: object) -> dict[str, Any]: ...

    def test(self, policy: P) -> list[TestResult]: ...
