"""A person's settings: one TOML file, one environment variable a key, each field documented where it is declared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta

from review import locations
from review.errors import RemitError

Start = Literal["overview", "queue", "policy", "credentials", "sources", "report"]
Copy = Literal["both", "terminal", "file"]


class Settings(msgspec.Struct, frozen=True):
    """What a person may set. An option of the command line goes before the environment, that before the file."""

    store: Annotated[
        str, Meta(description="The store that is used when none is named: the path of a SQLite file or a PostgreSQL URL.")
    ] = ""
    org: Annotated[str, Meta(description="The organisation file. Without it `org.yaml` beside the store is used.")] = ""
    detections: Annotated[
        str,
        Meta(description="The folder of own detections. Without it `detections` in the configuration directory is used."),
    ] = ""
    frameworks: Annotated[
        str,
        Meta(
            description="The folder of own catalogues, crosswalks and overrides. Without it `frameworks` in the configuration "
            "directory is used."
        ),
    ] = ""
    start: Annotated[Start, Meta(description="The screen the dashboard opens on.")] = "overview"
    readonly: Annotated[bool, Meta(description="Open the dashboard without the means to change anything.")] = False
    theme: Annotated[
        str,
        Meta(
            description="The dashboard's theme: `auto`, one the palette offers under `theme: choose`, or the name of a theme "
            "file of your own. `auto` is `textual-dark`, and `ansi-dark` where the terminal has 16 colours. NO_COLOR goes before it."
        ),
    ] = "auto"
    mouse: Annotated[
        bool, Meta(description="Whether the dashboard listens to the mouse. Without it the terminal's own selection works.")
    ] = True
    copy: Annotated[
        Copy,
        Meta(
            description="Where copied text goes: to the `terminal`'s clipboard (OSC 52, which not every terminal takes), to a "
            "`file` whose path is shown, or to `both`."
        ),
    ] = "both"
    tour: Annotated[bool, Meta(description="Offer the tour when the demo store is opened for the first time.")] = True
    preset: Annotated[
        str, Meta(description="A set of keys to start from: `default`, `emacs` or `arrows` (no letters for moving).")
    ] = "default"
    keys: Annotated[
        dict[str, str],
        Meta(
            description="Keys by the id of an action, as docs/keys.md lists them. Several keys stand with commas between. In "
            "the environment: `REMIT_KEYS='queue.sort=o task.raw=R,f6'`."
        ),
    ] = {}


FIELDS: tuple[str, ...] = Settings.__struct_fields__


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and for each field where its value comes from: `default`, the file's path or a variable's name."""

    settings: Settings
    origin: dict[str, str]


def variable(name: str) -> str:
    """The environment variable of a field."""
    return f"REMIT_{name.upper()}"


def load(path: Path | None = None) -> Loaded:
    """The settings that hold now; raises RemitError with file and line where the file is wrong."""
    path = path or locations.settings_file()
    values: dict[str, Any] = {}
    origin = dict.fromkeys(FIELDS, "default")
    text = _text(path)
    for name, value in _parsed(text, path).items():
        values[name] = _checked(name, value, f"{path}, line {_line(text, name)}")
        origin[name] = str(path)
    for name in FIELDS:
        given = os.environ.get(variable(name))
        if given:
            values[name] = _checked(name, _typed(name, given), variable(name))
            origin[name] = variable(name)
    return Loaded(Settings(**values), origin)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RemitError(f"cannot read the settings file {path}: {reason}") from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    if not text:
        return {}
    import tomllib

    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RemitError(f"{path} is not TOML: {error}") from error
    for name in found:
        if name not in FIELDS:
            raise RemitError(f"{path}, line {_line(text, name)}: there is no setting {name!r}{nearest(name, FIELDS)}")
    return found


def _line(text: str, name: str) -> int:
    """The line on which a top-level key or table begins; 1 where it cannot be told."""
    begins = re.compile(rf"""^\s*\[*\s*["']?{re.escape(name)}["']?\s*[\].=]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if begins.match(line)), 1)


def nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    """`; did you mean "x"?` for a misspelt name, or the names there are where nothing is near and they are few."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1, 0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(known)}" if len(known) <= 16 else ""


def _typed(name: str, given: str) -> Any:
    """A variable's text as the field's type."""
    kind = _kind(name)
    if kind is bool:
        low = given.strip().lower()
        return True if low in ("1", "true", "yes", "on") else False if low in ("0", "false", "no", "off") else given
    if name == "keys":
        pairs = [word.partition("=") for word in given.split()]
        return {id: keys for id, _, keys in pairs}
    return given


def _kind(name: str) -> Any:
    return _hints()[name]


def _hints() -> dict[str, Any]:
    return get_type_hints(Settings)


def _checked(name: str, value: Any, where: str) -> Any:
    kind = _kind(name)
    allowed = get_args(kind)
    if name == "keys":
        flat = dict(_flat(value)) if isinstance(value, dict) else {"": None}
        if not all(isinstance(keys, str) and keys for keys in flat.values()):
            raise RemitError(f'{where}: `keys` takes the ids of actions with their keys as texts, e.g. queue.sort = "o"')
        return flat
    if allowed and all(isinstance(one, str) for one in allowed):
        if value not in allowed:
            raise RemitError(f"{where}: `{name}` is one of {', '.join(allowed)}, not {str(value)[:40]!r}")
    elif not isinstance(value, kind):
        wanted = {bool: "true or false", str: "a text in quotes"}[kind]
        raise RemitError(f"{where}: `{name}` is {wanted}, not {str(value)[:40]!r}")
    return value


def _flat(table: dict[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    """`queue.sort` is a table in a table to TOML where it stands without quotes."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{under}{name}.")
        else:
            yield f"{under}{name}", value


def settings_schema() -> dict[str, Any]:
    """The published JSON Schema of the settings file."""
    found = msgspec.json.schema(Settings)
    body: dict[str, Any] = found["$defs"]["Settings"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **body, "additionalProperties": False}
