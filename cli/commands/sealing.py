"""`remit verify`, `remit keygen` and `remit prove`."""

from __future__ import annotations

import sys
from argparse import Namespace
from getpass import getpass
from pathlib import Path

from cli.output import emit_json
from lang.safe import safe_line
from review.errors import RemitError


def ask(question: str) -> str:
    """A passphrase from the terminal; nothing where nobody is there to be asked."""
    if not sys.stdin.isatty():
        return ""
    return getpass(question, stream=sys.stderr)


def verify(args: Namespace) -> int:
    from review.pack.verifying import told, verify_pack

    result, sound = verify_pack(
        Path(args.pack),
        key=Path(args.key) if args.key else None,
        proof=Path(args.proof) if args.proof else None,
    )
    lines = told(result)
    if args.store is None and (args.templates or args.since):
        raise RemitError("--templates and --since hold pages against the store they were made from; give --store as well")
    if args.store is not None:
        from cli.opening import opened
        from review.pack import restating

        brought = restating.Brought(
            templates=Path(args.templates) if args.templates else None, since=Path(args.since) if args.since else None
        )
        with opened(args) as work:
            result["store"] = restating.held_against(work, Path(args.pack), brought)
        lines += restating.told(result["store"])
        sound = sound and result["store"]["state"] == "same"
    if args.output == "json":
        emit_json(result)
    else:
        for line in lines:
            print(safe_line(line))
    return 0 if sound else 4


def keygen(args: Namespace) -> int:
    import os

    from review.pack.signing import PASSPHRASE, new_key

    passphrase = ""
    if args.passphrase:
        passphrase = os.environ.get(PASSPHRASE, "") or _twice()
    made = new_key(Path(args.file), passphrase)
    if args.output == "json":
        emit_json(made)
    else:
        print(f"private key: {safe_line(made['private'])} (keep it; only you can read it, and it is kept nowhere else)")
        print(f"public key: {safe_line(made['public'])} (give it to whoever checks your packs)")
        print(f"fingerprint: {made['key']}")
    return 0


def _twice() -> str:
    first = ask("Passphrase for the new key: ")
    if not first:
        raise RemitError("there is no passphrase; give one at a terminal or in REMIT_KEY_PASSPHRASE")
    if ask("The same again: ") != first:
        raise RemitError("the two passphrases differ; no key was made")
    return first


def prove(args: Namespace) -> int:
    from review.pack.proving import prove as proof
    from review.pack.proving import write_proof
    from review.show.filters import moment
    from review.workspace import open_workspace

    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        made = proof(work, args.record, moment(args.as_of, "--as-of") if args.as_of is not None else None)
    if args.out is None:
        emit_json(made)
        return 0
    write_proof(Path(args.out), made)
    out = safe_line(args.out)
    print(
        f"Wrote the proof for record {made['record']['digest'][:16]} to {out}; check it with `remit verify --proof {out} PACK`."
    )
    return 0
