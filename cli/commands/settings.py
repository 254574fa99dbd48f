"""`remit config` and `remit completion`."""

from __future__ import annotations

import os
from argparse import Namespace

from cli.output import emit_json
from review import locations


def config(args: Namespace) -> int:
    if args.action == "schema":
        from review.organisation import organisation_schema

        emit_json(organisation_schema())
        return 0
    store = args.store or locations.default_store()
    org = locations.org_file(store, args.org)
    facts: dict[str, object] = {
        "store": locations.shown(store),
        "organisation": str(org) if org else None,
        "data": str(locations.data_dir()),
        "config": str(locations.config_dir()),
        "pseudonym_key": "REMIT_PSEUDONYM_KEY" if os.environ.get("REMIT_PSEUDONYM_KEY") else str(locations.key_file()),
    }
    if args.action == "validate":
        from review.organisation import validate_organisation

        facts["organisation_state"] = validate_organisation(store, args.org)
    if args.output == "json":
        emit_json(facts)
    else:
        for name, value in facts.items():
            print(f"{name}: {value if value is not None else '(none)'}")
    return 0


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
