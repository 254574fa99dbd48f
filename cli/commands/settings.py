"""`remit config` and `remit completion`."""

from __future__ import annotations

import json
import os
from argparse import Namespace

from cli.output import emit_json
from lang.safe import safe_line
from review import locations


def config(args: Namespace) -> int:
    match args.action:
        case "schema":
            return _schema(args.what)
        case "path":
            return _told(args, _places(args))
        case "validate":
            return _told(args, _places(args) | _validated(args))
        case _:
            return _told(args, _places(args) | {"settings": _settings()})


def _schema(of: str) -> int:
    if of == "settings":
        from review.settings import settings_schema

        emit_json(settings_schema())
    else:
        from review.organisation import organisation_schema

        emit_json(organisation_schema())
    return 0


def _places(args: Namespace) -> dict[str, object]:
    """Where things lie; the settings file's own path first, since it may be what is wrong with the others."""
    store = args.store or locations.default_store()
    org = locations.org_file(store, args.org)
    return {
        "settings_file": str(locations.settings_file()),
        "store": locations.shown(store),
        "organisation": str(org) if org else None,
        "data": str(locations.data_dir()),
        "config": str(locations.config_dir()),
        "themes": str(locations.themes_dir()),
        "pseudonym_key": "REMIT_PSEUDONYM_KEY" if os.environ.get("REMIT_PSEUDONYM_KEY") else str(locations.key_file()),
    }


def _validated(args: Namespace) -> dict[str, object]:
    """The states of what can be wrong; raises RemitError with the file and line of the first that is."""
    from review.organisation import validate_organisation
    from review.settings import load
    from tui.keymap import keyed
    from tui.themes import choose, known_themes

    found = load().settings
    choose(found.theme, known_themes(locations.themes_dir()), os.environ)
    keyed(found.preset, found.keys)
    return {
        "organisation_state": validate_organisation(args.store or locations.default_store(), args.org),
        "settings_state": "valid" if locations.settings_file().is_file() else "absent",
    }


def _settings() -> dict[str, dict[str, object]]:
    """Each setting with its value and where that comes from."""
    from review.settings import FIELDS, load

    loaded = load()
    return {name: {"value": _shown(name, getattr(loaded.settings, name)), "from": loaded.origin[name]} for name in FIELDS}


def _shown(name: str, value: object) -> object:
    return locations.shown(str(value)) if name == "store" and value else value


def _told(args: Namespace, facts: dict[str, object]) -> int:
    if args.output == "json":
        emit_json(facts)
        return 0
    settings = facts.pop("settings", {})
    for name, value in facts.items():
        print(safe_line(f"{name}: {value if value is not None else '(none)'}"))
    assert isinstance(settings, dict)
    for name, one in settings.items():
        print(safe_line(f"{name} = {_toml(one['value'])}  ({one['from']})"))
    return 0


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def completion(args: Namespace) -> int:
    import shtab

    from cli.parser import build_parser

    parser = build_parser()
    if args.shell == "fish":
        print(_fish(parser))
    else:
        print(shtab.complete(parser, shell=args.shell))
    return 0


def _fish(parser: object) -> str:
    """shtab speaks bash, zsh and tcsh only; fish needs one line per command."""
    import argparse

    assert isinstance(parser, argparse.ArgumentParser)
    lines = ["complete -c remit -f -n '__fish_use_subcommand' -l version"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, sub in action.choices.items():
                text = helps.get(name, "").replace("'", "")
                lines.append(f"complete -c remit -f -n '__fish_use_subcommand' -a {name} -d '{text}'")
                for option in sub._actions:
                    for flag in option.option_strings:
                        if flag.startswith("--"):
                            lines.append(f"complete -c remit -n '__fish_seen_subcommand_from {name}' -l {flag[2:]}")
    return "\n".join(lines)
