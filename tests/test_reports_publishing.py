"""A pack that replaces another is whole wherever the process is ended: the old one or the new one, at once or by the next run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.publishing import publish, recover
from reports.verify import verify
from tests.reports_sample import build_pack, sample

NHI = ["owasp-nhi-2025"]


def killed(what: Callable[[], None], before: int) -> None:
    """Do it in a process that is killed before its move of that number, or at its end."""
    child = os.fork()
    if child:
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        return
    done, move = 0, Path.rename

    def moved(path: Path, target: Path) -> Path:
        nonlocal done
        done += 1
        if done == before:
            os.kill(os.getpid(), signal.SIGKILL)
        return move(path, target)

    try:
        Path.rename = moved  # type: ignore[assignment, method-assign]
        what()
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def contents(pack: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in pack.iterdir()}


@pytest.mark.parametrize(("before", "stands"), [(1, "old"), (2, "old"), (3, "new")])
def test_the_old_or_the_new_pack_is_whole_wherever_it_is_killed(tmp_path: Path, before: int, stands: str) -> None:
    out = tmp_path / "packs [of] *" / "a[1] pack"
    stage = out.parent / f".{out.name}.held" / "pack"
    build_pack(sample(1, 2), out, NHI, {"csv"})
    build_pack(sample(2, 3), stage, NHI, {"csv"})
    packs = {"old": contents(out), "new": contents(stage)}
    killed(lambda: publish(stage, out), before)
    assert out.exists() is (before != 2), "between the moves nothing is there, so there is something to recover"
    recover(out)
    assert verify(out).sound and contents(out) == packs[stands]
    assert before == 1 or list(stage.parent.glob("earlier")) == ([] if before == 2 else [stage.with_name("earlier")])
