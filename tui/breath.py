"""Keys typed in one breath, as a paste, a macro or a fast hand sends them, are done in the order they were typed.

Textual gives a key to the widget that has the focus when it arrives. Letters are taken there; what is bound (enter, ctrl+u,
esc) comes back up to the app first, and letters that were typed behind it are there before it.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from textual import events
from textual.widget import Widget
from textual.widgets import Input

from tui.telling import Telling

PATIENCE = 1.0
"""Seconds to wait for what was typed before; a widget that waits itself must not hold up the keys for good."""


class Typed(Telling):
    """An app that heeds the order of keys."""

    def __init__(self, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._went_to: WeakKeyDictionary[events.Key, Widget | None] = WeakKeyDictionary()

    def pressed(self, key: str) -> None:
        """Told every key that is pressed."""

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Paste) and isinstance(self.focused, Input):
            # A field of one line takes the first line of what is pasted and drops the others without a word.
            event.text = " ".join(line.strip() for line in event.text.splitlines() if line.strip())
        if isinstance(event, events.Key):
            if event.is_forwarded:
                if await self._overtaken(event):
                    return
            else:
                self.pressed(event.key)
                field = self.focused
                if await self._bound(field, event.key):
                    return
                self._went_to[event] = field
        await super().on_event(event)

    async def _bound(self, field: Widget | None, key: str) -> bool:
        """Do what a key means in a text field once all typed before it stands there; what it led to is done before the next key.

        False, and nothing done, where there is no text field or the key means nothing of its own in it.
        """
        if not isinstance(field, Input) or (key != "escape" and key not in field._bindings.key_to_bindings):
            return False
        self.app_focus = True
        await _settled(field)
        if not await self._check_bindings(key, priority=True):
            await self._check_bindings(key)
        await _settled(field)
        return True

    async def _overtaken(self, event: events.Key) -> bool:
        """Hand a key to the text field that got the focus while the key was on its way to another widget.

        Keys typed in one breath, a verdict's letter and then its reason, all leave for the widget that has the focus when
        the first arrives; what that one does not take comes back here after the first key has moved the focus.
        """
        field = self.focused
        if self._went_to.pop(event, field) is field or field is None or not field.check_consume_key("a", "a"):
            return False
        if not await self._bound(field, event.key):
            again = events.Key(event.key, event.character)
            self._went_to[again] = field
            field._forward_event(again)
        return True


async def _settled(field: Widget) -> None:
    """Wait until a widget and all around it have done what they were sent before."""
    try:
        async with asyncio.timeout(PATIENCE):
            for node in field.ancestors_with_self:
                done = asyncio.Event()
                if isinstance(node, Widget) and node.call_later(done.set):
                    await done.wait()
    except TimeoutError:
        return
