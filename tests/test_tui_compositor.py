"""A change of the screen is drawn as Textual's own compositor draws it, and only the widgets that are seen in it are asked."""

from __future__ import annotations

import re
from random import Random

import pytest
from textual._compositor import Compositor
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui_desk import dashboard, press
from tui.app import RemitApp
from tui.compositor import TouchedCompositor
from tui.widgets.lines import Crumbs, Hint
from tui.widgets.virtual_table import VirtualTable

_PIECE = re.compile(r"\x1b\[(\d+;\d+)H([^\n]*?)(?=\x1b\[\d+;\d+H|\n|$)")


def drawn(app: RemitApp, *regions: Region) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What is sent to which places of the terminal when these regions changed: as drawn here, and as Textual's compositor draws it."""
    compositor = app.screen._compositor
    assert isinstance(compositor, TouchedCompositor)
    sent: list[list[tuple[str, str]]] = []
    with app._context():
        for draw in (type(compositor).render_partial_update, Compositor.render_partial_update):
            compositor._dirty_regions = set(regions)
            update = draw(compositor)
            assert update is not None
            sent.append([(place, text) for place, text in _PIECE.findall(update.render_segments(app.console)) if text])
    return sent[0], sent[1]


async def everywhere(app: RemitApp, pilot: Pilot[None]) -> None:
    """Single widgets and scattered regions, parts of widgets among them, are drawn alike."""
    random = Random(app.screen.SCOPE if hasattr(app.screen, "SCOPE") else "dialog")
    width, height = app.size
    for widget in app.screen._compositor.visible_widgets:
        ours, theirs = drawn(app, widget.region.intersection(app.size.region))
        assert ours == theirs and ours, widget
    for _ in range(40):
        regions = []
        for _ in range(random.randint(1, 4)):
            x, y = random.randrange(width), random.randrange(height)
            regions.append(Region(x, y, random.randint(1, width - x), random.randint(1, height - y)))
        ours, theirs = drawn(app, *regions)
        assert ours == theirs, regions


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=str)
async def test_every_place_is_drawn_as_textual_draws_it(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as (app, pilot):
        await everywhere(app, pilot)
        await press(pilot, "enter")
        await everywhere(app, pilot)
        await press(pilot, "question_mark")
        await everywhere(app, pilot)


async def test_a_page_down_asks_neither_the_frame_nor_the_other_widgets() -> None:
    async with dashboard() as (app, _pilot):
        table, asked = app.screen.query_one("#tasks", VirtualTable), set[type[Widget]]()
        own = Widget.render_lines

        def noting(widget: Widget, crop: Region) -> list[object]:
            asked.add(type(widget))
            return own(widget, crop)  # type: ignore[return-value]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Widget, "render_lines", noting)
            drawn_here = table.region.intersection(app.size.region)
            compositor = app.screen._compositor
            compositor._dirty_regions = {drawn_here}
            with app._context():
                compositor.render_partial_update()
        assert not asked & {Crumbs, Hint, type(app.screen)}
