"""Themes: Textual's, two of high contrast, and a person's own files; which of them a terminal gets unasked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from review.errors import RemitError
from review.settings import nearest

AUTO = "auto"
NO_COLOUR = "ansi-dark"
"""The theme that emits no colour at all once the terminal's colours are filtered out."""

HIGH_CONTRAST = (
    Theme(
        name="high-contrast",
        primary="#0000c0",
        secondary="#00ffff",
        accent="#ffff00",
        warning="#ffff00",
        error="#ff6060",
        success="#00ff00",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#202020",
        text_alpha=1.0,
        variables={"text-muted": "#ffffff", "text-error": "#ff8080", "text-warning": "#ffff00", "text-success": "#60ff60"},
    ),
    Theme(
        name="high-contrast-light",
        primary="#ffe000",
        secondary="#003080",
        accent="#0000c0",
        warning="#703000",
        error="#a00000",
        success="#004000",
        foreground="#000000",
        background="#ffffff",
        surface="#ffffff",
        panel="#e8e8e8",
        dark=False,
        text_alpha=1.0,
        variables={"text-muted": "#000000", "text-error": "#a00000", "text-warning": "#703000", "text-success": "#004000"},
    ),
)
"""Contrast of at least 7:1 between text and ground (WCAG 2 AAA)."""

_COLOURS = (
    "primary",
    "secondary",
    "warning",
    "error",
    "success",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
)
_SIXTEEN = ("linux", "ansi", "vt100", "vt220", "xterm-16color", "screen-16color", "cygwin", "xterm-mono")


def known_themes(folder: Path | None) -> dict[str, Theme]:
    """Every theme by name, those of the folder included; raises RemitError where a file of it is wrong."""
    found = {name: theme for name, theme in BUILTIN_THEMES.items() if name != "textual-ansi"}
    found |= {theme.name: theme for theme in HIGH_CONTRAST}
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.toml")):
            found[path.stem] = read_theme(path)
    return found


def read_theme(path: Path) -> Theme:
    """A theme file: TOML with `primary` and any other colour a theme has; its name is the file's."""
    import tomllib

    try:
        given: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RemitError(f"cannot read the theme {path}: {error}") from error
    allowed = [one.name for one in fields(Theme) if one.name != "name"]
    for name, value in given.items():
        if name not in allowed:
            raise RemitError(f"{path}: a theme has no {name!r}{nearest(name, allowed)}")
        if name in _COLOURS:
            _colour(path, name, value)
        elif name == "variables":
            if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
                raise RemitError(f"{path}: `variables` takes names with texts")
        elif isinstance(value, bool) is not (name in ("dark", "ansi")) or not isinstance(value, bool | int | float):
            raise RemitError(f"{path}: `{name}` is {'true or false' if name in ('dark', 'ansi') else 'a number'}")
    if "primary" not in given:
        raise RemitError(f"{path}: a theme needs `primary`, a colour like '#0178d4'")
    return Theme(name=path.stem, **given)


def _colour(path: Path, name: str, value: object) -> None:
    try:
        Color.parse(str(value))
    except ColorParseError:
        raise RemitError(f"{path}: {str(value)[:40]!r} is no colour for `{name}`; write it like '#0178d4'") from None


def choose(wanted: str, known: Iterable[str], environ: Mapping[str, str]) -> str:
    """The theme to start with; raises RemitError with the nearest name for one that is not there."""
    names = list(known)
    if environ.get("NO_COLOR"):
        return NO_COLOUR
    if wanted == AUTO:
        return "ansi-dark" if sixteen_colours(environ) else "textual-dark"
    if wanted not in names:
        raise RemitError(f"there is no theme {wanted!r}{nearest(wanted, names)}")
    return wanted


def sixteen_colours(environ: Mapping[str, str]) -> bool:
    """Whether a terminal says of itself that it knows no more than its own 16 colours."""
    return not environ.get("COLORTERM") and environ.get("TERM", "").lower() in _SIXTEEN
