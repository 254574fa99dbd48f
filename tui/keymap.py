"""The key map: a preset and a person's own keys laid over the registry, and what of them cannot stand together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace

from textual.app import App
from textual.keys import Keys

from review.errors import RemitError
from review.settings import nearest
from tui.action import Action, shown
from tui.actions import ACTIONS, PRIORITY
from tui.scopes import EVERYWHERE, PANEL, TABLE, at_once

PRESETS: dict[str, dict[str, str]] = {
    "default": {},
    "emacs": {
        "table.down": "down,ctrl+n",
        "table.up": "up,ctrl+p",
        "table.page-down": "pagedown,ctrl+v",
        "everywhere.command": "colon,f11",
        "everywhere.back": "escape,ctrl+g",
    },
    "arrows": {
        "table.down": "down",
        "table.up": "up",
        "table.first": "home",
        "table.last": "end",
        "panel.panel-down": "shift+down",
        "panel.panel-up": "shift+up",
        "everywhere.back": "escape",
    },
}
"""Keys by action id for those used to another program; what a preset does not name stays."""

_MODIFIERS = ("ctrl", "shift", "alt", "super", "hyper", "meta")
_NAMED = frozenset(key.value for key in Keys)


def keyed(preset: str, own: Mapping[str, str]) -> tuple[Action, ...]:
    """The registry with its keys as a person has them; raises RemitError that names what is unknown or clashes."""
    if preset not in PRESETS:
        raise RemitError(f"there is no preset of keys {preset!r}{nearest(preset, list(PRESETS))}")
    laid = {**_known(PRESETS[preset]), **_known(own)}
    if not laid:
        return ACTIONS
    made = tuple(replace(one, keys=_keys(one, laid[one.id])) if one.id in laid else one for one in ACTIONS)
    clash = next(clashes(made, laid), "")
    if clash:
        raise RemitError(clash)
    return made


def changes(actions: tuple[Action, ...]) -> dict[str, str]:
    """The ids and keys of what differs from the registry, as Textual's key map takes them."""
    return {own.id: _unfixed(own) for own, was in zip(actions, ACTIONS, strict=True) if own.keys != was.keys}


def _unfixed(action: Action) -> str:
    return ",".join(key for key in action.keys.split(",") if key not in PRIORITY)


def _known(own: Mapping[str, str]) -> dict[str, str]:
    ids = [action.id for action in ACTIONS]
    for id in own:
        if id not in ids:
            raise RemitError(f"there is no action {id!r} to give keys to{nearest(id, ids)} (docs/keys.md lists them)")
    return dict(own)


def _keys(action: Action, wanted: str) -> str:
    given = [_key(action, part.strip()) for part in wanted.split(",") if part.strip()]
    if not given:
        raise RemitError(f"{action.id}: no key is named; a comma itself is written `comma`")
    kept = [key for key in action.keys.split(",") if key in PRIORITY]
    return ",".join(dict.fromkeys([*given, *kept]))


def _key(action: Action, written: str) -> str:
    key = key_name(written)
    if key is None:
        raise RemitError(
            f"{action.id}: there is no key {written!r}; keys are written like j, J, f5, ctrl+o, space or question_mark"
        )
    return key


def key_name(written: str) -> str | None:
    """A key as Textual names it, `question_mark` for `?`; None where there is no such key."""
    key: str = App._normalize_keymap({"": written})[""]
    *modifiers, last = key.split("+")
    known = last in _NAMED or key in _NAMED or len(last) == 1 or _is_character(last)
    return key if known and all(part in _MODIFIERS for part in modifiers) else None


def _is_character(name: str) -> bool:
    try:
        unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return name in ("at", "slash", "backslash", "minus", "plus", "tilde")
    return True


def clashes(actions: tuple[Action, ...], changed: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each key that would mean two things on one screen, where one of the two was changed."""
    scopes = [scope for scope in dict.fromkeys(action.scope for action in actions) if scope not in (EVERYWHERE, TABLE, PANEL)]
    for scope in scopes:
        holders: dict[str, Action] = {}
        for action in (one for part in dict.fromkeys(at_once(scope)) for one in actions if one.scope == part):
            for key in action.keys.split(","):
                other = holders.setdefault(key, action)
                if other is not action and {other.id, action.id} & changed.keys():
                    yield f"the key {shown(key)} would mean both {other.id} and {action.id}; give one of them another in [keys]"
