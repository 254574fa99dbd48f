"""Textual's driver on a real terminal: it may show the first frame already, it may go away, and it may come back after a stop.

Where the first frame stands the alternate screen is entered once, and nothing flickers.
"""

from __future__ import annotations

import asyncio
import termios
from contextlib import suppress
from typing import IO, Any, cast

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.first_frame import ENTER, Standing


class Lasting:
    """A terminal as what is written to: once it has gone, writing does nothing, and whoever wrote is told once.

    The thread that writes would end with the error otherwise, and the program wait for it for good.
    """

    def __init__(self, file: IO[str], gone: Any) -> None:
        self._file = file
        self._gone = gone

    def write(self, text: str) -> int:
        return self._lasting(lambda: self._file.write(text)) or 0

    def flush(self) -> None:
        self._lasting(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def _lasting(self, write: Any) -> Any:
        if self._gone is None:
            return None
        try:
            return write()
        except (OSError, ValueError):
            gone, self._gone = self._gone, None
            gone()
            return None


def driver_for(standing: Standing | None) -> type[Driver]:
    """A driver that takes over from the first frame, where there is one."""

    class TerminalDriver(LinuxDriver):
        """Leaves out the first entering of the alternate screen, and gives the terminal back as it was before all."""

        def __init__(self, app: App[Any], **more: Any) -> None:
            super().__init__(app, **more)
            self._loop = asyncio.get_running_loop()
            self._file = cast("Any", Lasting(cast("IO[str]", self._file), self._end))

        def start_application_mode(self) -> None:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if standing is None:
                return
            standing.taken = True
            if self.attrs_before is not None:
                self.attrs_before = standing.attributes

        def write(self, data: str) -> None:
            if standing is None or data != ENTER or standing.taken:
                super().write(data)

        def run_input_thread(self) -> None:
            """Listen to the keys until a terminal goes that was there: told by its signal or by reading, whichever comes first."""
            try:
                super().run_input_thread()
            except OSError:
                if self._there():
                    raise
                self._end()

        def _sigcont_application(self, *_: Any) -> None:
            """Go on behind a stop: nothing is begun anew that never ended, and nothing on a terminal that has gone.

            The kernel sends this signal behind the one that says so. A stop that gave no notice left everything as it was here,
            while the shell has used the terminal since.
            """
            if not self._auto_restart or not self._there():
                return
            if not self._must_signal_resume:
                self.suspend_application_mode()
                self._must_signal_resume = True
            self.resume_application_mode()

        def _there(self) -> bool:
            try:
                termios.tcgetattr(self.fileno)
            except termios.error:
                return False
            return True

        def _end(self) -> None:
            with suppress(RuntimeError):  # The loop has ended already.
                self._loop.call_soon_threadsafe(self._app.exit)

    return TerminalDriver
