"""Waiting until the dashboard has nothing left to do: for pictures, for keys that are played, and for tests."""

from __future__ import annotations

import asyncio

from textual.message_pump import MessagePump
from textual.pilot import Pilot

from tui.app import RemitApp
from tui.screens.base import DeskScreen

PATIENCE = 120.0
"""Seconds after which a screen that never settles is given up; a machine with much else to do takes long over an honest one."""

BREATH = 0.005
"""Seconds between two looks at one that has not settled."""


async def settled(pilot: Pilot[None]) -> None:
    """Wait until everything that keys and reads have set off is done and drawn; raises TimeoutError."""
    app = pilot.app
    assert isinstance(app, RemitApp)
    async with asyncio.timeout(PATIENCE):
        quiet = 0
        while quiet < 2 and app.is_running and not app._exit:
            if not at_rest(app):
                quiet = 0
                await asyncio.sleep(BREATH)
                continue
            # Drawing may ask for more, and what that is for more again.
            await pilot.pause()
            quiet = quiet + 1 if at_rest(app) else 0


def at_rest(app: RemitApp) -> bool:
    """Whether nothing is under way: no read, no message to the app or a widget, no size of the terminal to be followed.

    How much processor time passed says nothing of it: a process that has to wait its turn looks as idle as one that is done.
    """
    screens = app.screen_stack
    desks = [screen for screen in screens if isinstance(screen, DeskScreen)]
    # Textual holds a new size back by a timer.
    if not desks or app._resize_event is not None or not all(screen.is_mounted for screen in screens):
        return False
    if not app.looker.idle or not all(screen.idle for screen in desks):
        return False
    return _waits(app) and all(_waits(widget) for screen in screens for widget in screen.walk_children(with_self=True))


def _waits(one: MessagePump) -> bool:
    """Whether it waits for a message. One that is being handled stands in no queue, and may yet send others."""
    return not one.message_queue_size and bool(one._message_queue.ready_event._waiters)
