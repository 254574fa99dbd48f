"""`remit report` and `remit verify`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from cli.output import emit_json
from lang.safe import safe_line
from review.verifying import verify_pack
from review.workspace import open_workspace


def report(args: Namespace) -> int:
    from review.filters import moment
    from review.packs import write_pack

    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        manifest = write_pack(
            work,
            Path(args.out),
            [name for chosen in args.framework for name in chosen.split(",")],
            start=moment(args.start, "--from") if args.start is not None else None,
            end=moment(args.end, "--to") if args.end is not None else None,
            as_of=moment(args.as_of, "--as-of") if args.as_of is not None else None,
            only={name.strip() for name in args.only.split(",")} if args.only else None,
            force=args.force,
        )
    if args.output == "json":
        emit_json(manifest)
    else:
        out = safe_line(args.out)
        print(f"Wrote {len(manifest['files'])} files to {out}; check them anywhere with `remit verify {out}`.")
    return 0


def verify(args: Namespace) -> int:
    result = verify_pack(Path(args.pack))
    if args.output == "json":
        emit_json(result)
    else:
        print(f"integrity: {result['integrity']}")
        for name in ("altered", "missing", "extra"):
            for path in result[name]:
                print(f"  {name}: {safe_line(path)}")
        print(f"completeness: {result['completeness']['found']} of {result['completeness']['claimed']} claimed records found")
        print(f"signature: {result['signature']['state']}")
    whole = result["integrity"] == "intact" and result["completeness"]["claimed"] == result["completeness"]["found"]
    return 0 if whole else 4
