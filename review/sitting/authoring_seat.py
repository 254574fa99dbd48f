"""The policy author's half of a desk: the studio, mined policies, versions and which of them is in force."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from review.policy.mining import Mining
    from review.policy.studio import Studio
    from review.workspace import Workspace

Doc = dict[str, Any]


class AuthoringSeat:
    """What is done with policies at a desk."""

    generation: int
    _lock: RLock

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

    def studio(self) -> Studio:
        from review.policy.studio import Studio

        with self._lock:
            work = self.work
        # Used without the lock: reading a long history takes its time, and the other screens stay alive meanwhile.
        return Studio(work)

    def mining(self) -> Mining:
        """One sitting of mining; it reads the whole history, without the lock as the studio does."""
        from review.policy.mining import Mining

        with self._lock:
            work = self.work
        return Mining(work)

    def versions(self) -> list[Doc]:
        """Every saved version, the newest first."""
        from review.policy.versions import versions

        with self._lock:
            return sorted(versions(self.work), key=lambda row: str(row["at"]), reverse=True)

    def version(self, ref: str) -> Doc:
        """A version whole, with what it changes in the one of its name that is in force (`since_in_force`)."""
        from review.policy.versions import current, diff, show

        with self._lock:
            found = show(self.work, ref)
            held = current(self.work, found["name"])
            other = held is not None and held.version != found["version"]
            return {**found, "since_in_force": diff(self.work, f"{held.name}@{held.version}", ref) if held and other else None}

    def promote(self, ref: str, reason: str) -> Doc:
        from review.policy.versions import promote

        with self._lock:
            done = promote(self.work, ref, reason)
            self.generation += 1
        return done

    def rollback(self, name: str, reason: str) -> Doc:
        from review.policy.versions import rollback

        with self._lock:
            done = rollback(self.work, name, reason)
            self.generation += 1
        return done
