"""What `remit report` takes for the machine formats."""

from __future__ import annotations

import argparse


def exchange_options(sub: argparse.ArgumentParser) -> None:
    """Each is kept under its name in `reports.exchange.Exchange`."""
    more = sub.add_argument_group("machine formats")
    more.add_argument(
        "--oscal-version", metavar="V", help="what OSCAL files state (default: 1.1.2; their content is that of 1.1.2)"
    )
    more.add_argument(
        "--import-ap", metavar="URI", help="the assessment plan the OSCAL results refer to (default: the detections inside)"
    )
    more.add_argument("--import-ssp", metavar="URI", help="the system security plan the OSCAL plan of action refers to")
    more.add_argument("--system-id", metavar="ID", help="the system's identifier in the OSCAL plan of action")
    more.add_argument("--ocsf-version", metavar="V", help="1.8.0 (default) or 1.5.0")
