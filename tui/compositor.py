"""Which widgets are drawn when a part of the screen changes: those that are seen there, and no others."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

Rendered = tuple[Region, Region, list[Strip]]


class TouchedCompositor(Compositor):
    """Draws a change as Textual does, without asking every widget on the lines between two changes for what is not shown of it.

    Textual's own takes the smallest rectangle around all changes and renders each widget whose clip lies in it, which is all of
    a screen; a page down then costs half again what the table and the line below it take. Widgets come front to back here
    too, and the foremost wins a cell, so a change that one of them covers whole has nothing to ask of those behind it.
    """

    _touched: list[Region] | None = None
    """Regions of the partial update that is being rendered."""

    def render_partial_update(self) -> ChopsUpdate | None:
        self._touched = list(self._dirty_regions)
        try:
            update = super().render_partial_update()
        finally:
            self._touched = None
        return update and TouchedUpdate(update.chops, update.spans, update.chop_ends)

    def _get_renders(self, crop: Region | None = None) -> Iterable[Rendered]:
        if self._touched is None:
            yield from super()._get_renders(crop)
            return
        left = self._touched
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            if not any(seen.overlaps(touched) for touched in left):
                continue
            yield region, clip, widget.render_lines(seen.translate(-region.offset))
            left = [touched for touched in left if not seen.contains_region(touched)]
            if not left:
                return


class TouchedUpdate(ChopsUpdate):
    """The pieces of lines that changed, behind places written as they are sent rather than by way of a control of Rich's each."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        last = self.spans[-1][0]
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                whole = right > x >= left and end <= right
                parts += (f"\x1b[{y + 1};{x + 1}H", (strip if whole else strip.crop(0, min(end, right) - x)).render(console))
            if y != last:
                parts.append("\n")
        return "".join(parts)
