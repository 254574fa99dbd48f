"""The one place that knows where things lie: data, configuration, the default store, the pseudonym key."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path, user_state_path

APP = "remit"


def data_dir() -> Path:
    return user_data_path(APP, appauthor=False)


def config_dir() -> Path:
    return user_config_path(APP, appauthor=False)


def state_dir() -> Path:
    """What a person's own sittings leave behind, apart from every store."""
    return user_state_path(APP, appauthor=False)


def default_store() -> str:
    """The store used when none is named: `REMIT_STORE`, else the settings file's, else a SQLite file in the data directory."""
    return os.environ.get("REMIT_STORE") or _set("store") or first_store()


def first_store() -> str:
    """The store of somebody who set nothing."""
    return str(data_dir() / "remit.db")


def _set(name: str) -> str:
    """A setting of the settings file, which is read only where there is one."""
    if not settings_file().is_file():
        return ""
    from review.settings import load

    return str(getattr(load().settings, name))


def key_file() -> Path:
    return config_dir() / "pseudonym.key"


def settings_file() -> Path:
    return config_dir() / "config.toml"


def themes_dir() -> Path:
    """Where theme files of a person's own lie."""
    return config_dir() / "themes"


def copied_file() -> Path:
    """What was copied last, for terminals that take no clipboard text."""
    return user_cache_path(APP, appauthor=False) / "copied.txt"


def is_url(store: str) -> bool:
    """True for a database URL, False for the path of a SQLite file."""
    return "://" in store


def is_address(argument: str) -> bool:
    """Whether an argument of an import is the address of an object store, and no path."""
    return "://" in argument and not argument.lower().startswith("file://")


def expanded(argument: str) -> str:
    """An argument of an import with the home folder for `~`."""
    return argument if "://" in argument else str(Path(argument).expanduser())


def shown(store: str) -> str:
    """A store's location without the password in it."""
    from store import masked

    return masked.shown(store)


def is_miswritten(store: str) -> bool:
    """Whether a store's location is neither a path nor a database URL, but something meant for one."""
    from store import masked

    return masked.is_miswritten(store)


def org_file(store: str, named: str | None) -> Path | None:
    """The organisation file: `--org`, else `REMIT_ORG`, else the settings file's, else `org.yaml` beside a SQLite store; None where there is none."""
    chosen = named or os.environ.get("REMIT_ORG") or _set("org")
    if chosen:
        return Path(chosen)
    if is_url(store):
        return None
    beside = Path(store).parent / "org.yaml"
    return beside if beside.is_file() else None


def detections_dir(named: str | None) -> Path | None:
    """The folder of own detections: `--detections`, `REMIT_DETECTIONS`, the settings file's, else `detections` in the configuration directory."""
    return _folder("detections", named)


def frameworks_dir(named: str | None) -> Path | None:
    """The folder of own frameworks: `--frameworks-dir`, `REMIT_FRAMEWORKS`, the settings file's, else `frameworks` in the configuration directory."""
    return _folder("frameworks", named)


def _folder(what: str, named: str | None) -> Path | None:
    chosen = named or os.environ.get(f"REMIT_{what.upper()}") or _set(what)
    if chosen:
        return Path(chosen)
    usual = config_dir() / what
    return usual if usual.is_dir() else None
