"""The command line of the `verify.py` that lies in a pack: the same check as `remit verify`, the same words, the same exit codes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.checking.signatures import BadKey, public_key
from reports.verify import NotAPack, verify

_ABOUT = """Check a pack of Remit with nothing but Python (3.9 or newer) and the pack.
A verify.py that came with a pack is as trustworthy as the pack: in doubt take it from Remit itself, or from another pack you trust.
Exit codes: 0 intact and complete, 2 wrong usage, 3 nothing to read, 4 altered, incomplete or wrongly signed."""
_FILE_LIMIT = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a pack, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(sys.argv[0]).resolve().parent
    parser.add_argument("pack", nargs="?", type=Path, default=here, help="the pack's folder (default: where this file lies)")
    parser.add_argument("--key", type=Path, metavar="PUB", help="the public key that must have signed it")
    parser.add_argument("--proof", type=Path, metavar="FILE", help="a proof that one record belongs to the evidence")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    given = parser.parse_args(arguments)
    try:
        key = public_key(_read(given.key).decode("utf-8", "replace")) if given.key else None
        result = verify(given.pack, key, _read(given.proof) if given.proof else None)
    except BadKey as error:
        print(f"verify.py: {given.key}: {error}", file=sys.stderr)
        return 2
    except (NotAPack, OSError) as error:
        print(f"verify.py: {_safe(str(error))}", file=sys.stderr)
        return 3
    found = result.as_dict()
    try:
        print(json.dumps(found, indent=2) if given.json else "\n".join(_safe(line) for line in told(found)), flush=True)
    except BrokenPipeError:
        # Whoever read has seen enough; what is left goes nowhere, and the exit code says the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if result.sound else 4


def told(result: dict[str, Any]) -> list[str]:
    """What a check found, line by line; integrity, completeness and signature each speak for themselves."""
    lines = [f"integrity: {result['integrity']}"]
    for word in ("altered", "missing", "extra"):
        for path in result[word]:
            why = result["reasons"].get(path, "") if word == "altered" else ""
            lines.append(f"  {word}: {path}" + (f" ({why})" if why else ""))
    counted = result["completeness"]
    lines.append(f"completeness: {counted['found']} of {counted['claimed']} claimed records found")
    lines += [f"  {one['path']}: {one['found']} of {one['claimed']}" for one in counted["differs"]]
    signature = result["signature"]
    meant = {
        "absent": "absent",
        "valid": f"valid, made with the key given ({signature['key'][:16]})",
        "untrusted": f"whole, but made with a key that only the pack names ({signature['key'][:16]}); give yours with --key",
        "invalid": "invalid",
    }
    why = f": {signature['why']}" if signature["why"] else ""
    lines.append(f"signature: {meant[signature['state']]}{why}")
    proof = result.get("proof")
    if proof:
        lines.append(f"proof: the record {proof['state']}" + (f" ({proof['why']})" if proof["why"] else " to this evidence"))
    return lines


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_FILE_LIMIT)


def _safe(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text).encode("utf-8", "backslashreplace").decode("utf-8")
