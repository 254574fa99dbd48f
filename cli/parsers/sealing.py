"""What the commands around sealed packs take: `verify`, `keygen`, `prove`, and what `report` takes for sealing."""

from __future__ import annotations

import argparse

from cli.parsers.words import Place, formats


def declare(place: Place) -> None:
    sub = place.command("verify", "sealing:verify", "check a pack without a database, or against the store it was made from")
    sub.add_argument("pack", help="the folder a report was written to")
    sub.add_argument("--key", metavar="PUB", help="the public key that must have signed it (PEM, OpenSSH, minisign or hex)")
    sub.add_argument("--proof", metavar="FILE", help="a proof that one record belongs to the pack's evidence")
    sub.add_argument("--templates", metavar="DIR", help="with --store: the templates it was made with, to hold its pages too")
    sub.add_argument("--since", metavar="PACK", help="with --store: the earlier pack that its changes were worked out from")
    formats(sub, lines=False)
    sub = place.command("keygen", "sealing:keygen", "make an Ed25519 key pair for signing packs")
    sub.add_argument("file", metavar="FILE", help="where the private key goes; the public one goes to FILE.pub")
    sub.add_argument(
        "--passphrase", action="store_true", help="lock it with a passphrase, asked for or taken from REMIT_KEY_PASSPHRASE"
    )
    formats(sub, lines=False)
    sub = place.command("prove", "sealing:prove", "show that one record belongs to the evidence, without the rest")
    sub.add_argument("record", metavar="RECORD", help="a record's id, or the first hex digits of its digest")
    sub.add_argument("--as-of", metavar="TIME", help="the moment the pack was made as of, where one was given")
    sub.add_argument("--out", metavar="FILE", help="where the proof goes, instead of standard output")


def sealing_options(sub: argparse.ArgumentParser) -> None:
    """What `remit report` takes for sealing."""
    sub.add_argument(
        "--redact",
        metavar="PROFILE",
        help="leave texts out, not counts: no-prompts, no-names or hashes-only (see docs/verify.md)",
    )
    sub.add_argument(
        "--sign", metavar="KEYFILE", help="sign the manifest: a key of `remit keygen`, an OpenSSH or a minisign Ed25519 key"
    )
