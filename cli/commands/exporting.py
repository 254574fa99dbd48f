"""`remit export`."""

from __future__ import annotations

from argparse import Namespace

from cli.output import Progress, emit_json
from lang.counted import count
from review.stores.exporting import export_parquet
from review.stores.lake import KINDS
from review.workspace import open_workspace


def export(args: Namespace) -> int:
    progress = Progress("exporting")
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        try:
            kinds = (args.kind,) if args.kind else KINDS
            done = export_parquet(work, args.parquet, kinds, args.start, args.end, progress)
        finally:
            progress.close()
    if args.output == "json":
        emit_json(done)
        return 0
    rows = done["rows"]
    print(
        f"{done['path']}: {count(rows['events'], 'event')} and {count(rows['requests'], 'request')}; {count(done['written'], 'file')} written, "
        f"{done['unchanged']:,} as they were, {done['removed']:,} removed"
    )
    return 0
