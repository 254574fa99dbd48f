"""One action of the dashboard: its name, its keys, and how both are told."""

from __future__ import annotations

from dataclasses import dataclass

from tui.scopes import NOUNS

ROW = "row"
"""What an action about the row the cursor stands on needs."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do: its name, where (a scope), its keys, a label, a sentence, and whether the footer shows it.

    `name` is also the Textual action (`action_<name>` with hyphens as underscores) unless `call` gives the action with
    its arguments; `writes` marks what a read-only sitting refuses; `needs` names what must be there (ROW), which the
    screen is asked for; `title` is the palette's name for it where "scope: label" is not.
    """

    name: str
    scope: str
    keys: str
    label: str
    help: str
    footer: bool = False
    writes: bool = False
    call: str = ""
    needs: str = ""
    title: str = ""

    @property
    def id(self) -> str:
        """The name a key map rebinds it by."""
        return f"{self.scope}.{self.name}"

    @property
    def said(self) -> str:
        """The palette's name, "noun: verb"."""
        if self.name.startswith("go-"):
            return f"{self.label.lower()}: show"
        return self.title or f"{NOUNS.get(self.scope, self.scope)}: {self.label.lower()}"

    @property
    def run(self) -> str:
        """The Textual action string."""
        return self.call or self.name.replace("-", "_")

    @property
    def method(self) -> str:
        return f"action_{self.run.partition('(')[0]}"

    @property
    def shown_keys(self) -> str:
        return " ".join(shown(key) for key in self.keys.split(",") if key)

    @property
    def first_key(self) -> str:
        return shown(self.keys.split(",")[0])

    @property
    def key_while_typing(self) -> str:
        """The first key that works while a text field has the focus; "" where every key would be typed."""
        return next((shown(key) for key in self.keys.split(",") if key and not _typed(key)), "")


_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "full_stop": ".",
    "comma": ",",
    "semicolon": ";",
    "at": "@",
    "asterisk": "*",
    "minus": "-",
    "escape": "esc",
    "ctrl+@": "ctrl+space",
    "down": "↓",
    "up": "↑",
    "pagedown": "page down",
    "pageup": "page up",
}


def shown(key: str) -> str:
    """A key as a person reads it."""
    return _SHOWN.get(key, key)


def _typed(key: str) -> bool:
    return len(shown(key)) == 1 or key == "space"
