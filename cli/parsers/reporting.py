"""What `remit report` takes."""

from __future__ import annotations

import argparse

from cli.parsers.sealing import sealing_options
from cli.parsers.words import Place, formats, natural


def declare(place: Place) -> None:
    sub = place.command("report", "reporting:report", "write an evidence pack, or say what differs between two (diff)")
    sub.add_argument("action", nargs="?", choices=("diff",), help="diff: what differs between two packs")
    sub.add_argument("packs", nargs="*", metavar="OLD NEW", help="diff: folders, .zip files or report.json files")
    sub.add_argument(
        "--fail-on", metavar="KIND,...", help="diff: exit 1 on new-critical, worse-control and others (docs/repeating-reports.md)"
    )
    sub.add_argument("--out", metavar="DIR|FILE.zip", help="a folder, or a ZIP file, for the pack")
    sub.add_argument("--framework", action="append", default=[], metavar="ID", help="repeat for several (see `remit frameworks`)")
    sub.add_argument("--config", metavar="FILE", help="a file that says all this; options win (docs/repeating-reports.md)")
    sub.add_argument("--print-config", action="store_true", help="print what would be used as such a file, and write nothing")
    sub.add_argument("--last", metavar="SPAN", help="the period of this length up to the as-of moment, e.g. '30 days'")
    sub.add_argument("--since", metavar="PACK", help="an earlier pack, with which the annexe of changes compares")
    sub.add_argument("--organisation", metavar="NAME", help="the name on the cover (default: that of the organisation file)")
    sub.add_argument("--system", metavar="NAME", help="the system the report is about")
    sub.add_argument("--sample-seed", metavar="TEXT", help="what the samples are drawn by")
    sub.add_argument("--sample-size", metavar="N", type=natural, help="tasks drawn of each kind")
    sub.add_argument("--from", dest="start", metavar="T", help="beginning of the period")
    sub.add_argument("--to", dest="end", metavar="T", help="end of the period")
    sub.add_argument("--as-of", metavar="T", help="what was known at T (default: the last evidence time)")
    sub.add_argument("--reviewed-until", metavar="T", help="what people said by T (default: --as-of, or all of it)")
    sub.add_argument("--only", metavar="FORMAT,...", help="only these of html, md, json, csv, oscal, ocsf, sarif, pdf")
    sub.add_argument("--pdf", action="store_true", help="also a tagged PDF (needs the extra `pdf`)")
    sub.add_argument("--full", action="store_true", help="the page holds every finding and the whole population")
    sub.add_argument("--templates", metavar="DIR", help="your own Jinja templates, which stand before the built-in ones")
    sub.add_argument("--force", action="store_true", help="replace a pack that is already in DIR")
    sealing_options(sub)
    _exchange(sub)
    formats(sub, lines=False)


def _exchange(sub: argparse.ArgumentParser) -> None:
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
