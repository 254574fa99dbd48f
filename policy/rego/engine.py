"""Talks to the process that runs rego-cpp: bounded in time and memory, started when first needed, again when it has ended."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from policy.decisions import EngineFailed

SECONDS = 10.0
"""How long one request (or one module's compilation) may take."""
HELD = 4
"""Policies the process keeps compiled (`worker.HELD`)."""
# The engine brings an allocator of its own, which must be there before any other compiled module is.
_START = "import regopy; from policy.rego.worker import main; main()"
_ROOT = Path(__file__).parents[2]


def available() -> bool:
    """Whether the engine, and what bounds its memory, are installed."""
    return find_spec("regopy") is not None and find_spec("psutil") is not None


class Source(NamedTuple):
    """A policy as the process needs it: `entries` are `package/rule`, `fields` what a request of ours may state (none: the input is whole)."""

    digest: str
    text: str
    entries: tuple[str, ...]
    fields: tuple[str, ...]


class Engine:
    """One process. Calls are serialised; what was loaded is loaded again after the process has ended."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        self._order: list[str] = []

    def load(self, policy: Source) -> dict[str, Any]:
        """Compile a policy: the plan, or `error` in the engine's words. Raises EngineFailed."""
        with self._lock:
            return self._load(policy)

    def _load(self, policy: Source) -> dict[str, Any]:
        asked = {"load": policy.digest, "text": policy.text, "entries": policy.entries, "fields": policy.fields}
        told = self._ask(asked, "compiling the policy")
        if "error" not in told:
            self._order = [*(one for one in self._order if one != policy.digest), policy.digest][-HELD:]
        return told

    def run(self, policy: Source, requests: Sequence[Any]) -> list[dict[str, Any]]:
        """An answer per request, as `worker.Compiled.answer` has it; loads the policy where it is not. Raises EngineFailed."""
        with self._lock:
            if policy.digest not in self._order and "error" in (told := self._load(policy)):
                raise EngineFailed(f"the Rego engine does not take the policy: {str(told['error'])[:200]}")
            many = f"{len(requests)} requests" if len(requests) > 1 else "one request"
            return list(self._ask({"run": policy.digest, "requests": list(requests)}, many)["answers"])

    def _ask(self, message: dict[str, Any], what: str) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
            line = self._lines.get(timeout=self._seconds)
        except (Empty, OSError) as error:
            self.stop()
            if isinstance(error, Empty):
                raise EngineFailed(f"the Rego engine was stopped: {what} took more than {self._seconds:g} seconds") from error
            line = b""
        if not line:
            self.stop()
            raise EngineFailed(f"the Rego engine ended at {what}: it is nested too deep, or needs too much memory")
        told: dict[str, Any] = json.loads(line)
        return told

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # No variable of ours is the policy's business: `opa.runtime()` would tell it. Without `-P` the working folder
            # would come first among the places modules are looked for.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                env={"PYTHONPATH": os.pathsep.join((str(_ROOT), *sys.path))},
            )
            self._lines = SimpleQueue()
            threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True).start()
        return self._process

    def stop(self) -> None:
        """End the process; the next call starts another."""
        process, self._process = self._process, None
        self._order = []
        if process is not None:
            process.kill()
            process.wait()
            if process.stdin is not None:
                with suppress(OSError):  # what was never read is lost with the process
                    process.stdin.close()


def _pump(process: subprocess.Popen[bytes], lines: SimpleQueue[bytes]) -> None:
    """Hands the answers on line by line, an empty one where the process has ended."""
    assert process.stdout is not None
    with process.stdout as answers:
        for line in answers:
            lines.put(line)
    lines.put(b"")


ENGINE = Engine()
"""The one engine of this program."""
atexit.register(ENGINE.stop)
