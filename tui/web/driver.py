"""The browser's end of the dashboard: Textual's driver for pipes, ending with the server it talks to."""

from __future__ import annotations

from textual import messages
from textual.drivers.web_driver import WebDriver


class PipedDriver(WebDriver):
    """Leaves the app when its standard input ends: the server is gone, however it went, and nobody else can see the app."""

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.call_later(self._app.post_message, messages.ExitApp())
