"""Long work in a process of its own: what it is asked goes in as a line of JSON, what it tells comes back as lines of JSON.

One half runs at the desk and loads nothing of the work (`Child`), the other is the process's whole program (`serve`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

Doc = dict[str, Any]
_PROGRAM = "import gc; gc.set_threshold(100_000); from {module} import main; main()"


@dataclass(kw_only=True)
class Child:
    """The desk's half: members the process tells are set on this object, which says how far the work is and ends it early."""

    phase: str = "starting"
    began: float = field(default_factory=time.monotonic)
    took: float = 0.0
    stopping: bool = False
    error: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def under_way(self) -> bool:
        return not self.took

    def stop(self) -> None:
        """Ask it to end; asked again, it is ended where it is."""
        if not self.under_way:
            return
        if self.stopping:
            self._kill()
        else:
            self.stopping = True
            self._tell("stop")

    def close(self) -> None:
        """Leave it: it ends by itself."""
        if self.under_way:
            self.stopping = True
            self._leave()

    def _end(self) -> None:
        self.phase = "ended"
        self.took = max(time.monotonic() - self.began, 0.001)

    def _begin(self, module: str, asked: Doc, over: Callable[[], None]) -> None:
        """Start `module.main` with what is asked of it; `over` is called on a thread of its own when the process has ended."""
        # See `review.processes` for `-P` and the session of its own.
        env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM.format(module=module)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
        )
        self._tell(asked)
        threading.Thread(target=self._listen, args=(over,), name="child", daemon=True).start()

    def _tell(self, what: object) -> None:
        assert self._process is not None and self._process.stdin is not None
        # Where it has ended, what it said last is still to be read.
        with suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()

    def _leave(self) -> None:
        """Say that nobody listens any more: it ends by itself."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _listen(self, over: Callable[[], None]) -> None:
        process = self._process
        assert process is not None and process.stdout is not None
        for line in process.stdout:
            for name, value in json.loads(line).items():
                setattr(self, name, value)
        process.wait()
        over()


def send(out: IO[bytes], what: Doc) -> None:
    """Tell the desk; where nobody listens any more, the work goes on all the same."""
    with suppress(BrokenPipeError):
        out.write(json.dumps(what).encode() + b"\n")
        out.flush()


def serve(work: Callable[[Doc, IO[bytes]], None], stop: Callable[[], None]) -> None:
    """The process's half: do what is asked; `stop` is called on another thread when the desk asks to end, or is gone."""
    out = os.fdopen(os.dup(1), "wb")
    # Whatever else prints must not come between the lines.
    os.dup2(2, 1)
    # What nobody foresaw is told like what was; nobody reads a trace.
    sys.excepthook = lambda kind, error, trace: send(out, {"error": f"the fault is Remit's own: {kind.__name__}: {error}"})
    asked: Doc = json.loads(sys.stdin.readline())
    threading.Thread(target=_hear, args=(stop,), daemon=True).start()
    work(asked, out)
    # A pipe that nobody reads must not be complained of.
    os._exit(0)


def _hear(stop: Callable[[], None]) -> None:
    sys.stdin.readline()
    stop()
