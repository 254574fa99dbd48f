"""The store a command works on, opened with what its arguments say of organisation, detections, frameworks and overrides."""

from __future__ import annotations

from argparse import Namespace

from review.workspace import Workspace, open_workspace


def opened(args: Namespace, *, readonly: bool = True) -> Workspace:
    """The workspace of a command that takes the options of `cli.parsers.reporting`; a context manager. Raises RemitError or StoreError."""
    return open_workspace(
        args.store,
        args.org,
        detections=args.detections,
        frameworks=args.frameworks_dir,
        overrides=args.override or (),
        readonly=readonly,
    )
