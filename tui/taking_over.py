"""Textual's driver on a terminal that shows the first frame already: the alternate screen is entered once, and nothing flickers."""

from __future__ import annotations

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.first_frame import ENTER, Standing


def taking_over(standing: Standing) -> type[Driver]:
    """A driver that takes over from the first frame."""

    class TakingOver(LinuxDriver):
        """Leaves out the first entering of the alternate screen, and gives the terminal back as it was before all."""

        def start_application_mode(self) -> None:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            standing.taken = True
            if self.attrs_before is not None:
                self.attrs_before = standing.attributes

        def write(self, data: str) -> None:
            if data != ENTER or standing.taken:
                super().write(data)

    return TakingOver
