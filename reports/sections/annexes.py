"""Section 10: configuration, policies, catalogues, changes since the last report, how to verify and make it again."""

from __future__ import annotations

from shlex import quote

from reports import document as doc
from reports import wording
from reports.catalogue import Framework
from reports.crosswalk import Crosswalk
from reports.exchange import as_options
from reports.input import PackInput, reviewed_until
from reports.text import when


def annexes_section(given: PackInput, chosen: list[Framework], crosswalk: Crosswalk) -> doc.Annexes:
    """Configuration, policies, catalogues, changes and the command that makes the same pack again."""
    options = "".join(f" --framework {f.id}" for f in chosen)
    options += f" --from {when(given.start)}" if given.start is not None else ""
    options += f" --to {when(given.end)}" if given.end is not None else ""
    reviewed = reviewed_until(given)
    options += f" --as-of {when(given.as_of)}"
    options += f" --reviewed-until {when(reviewed)}" if reviewed != given.as_of else ""
    named = given.org.name if given.org is not None else given.organisation
    for name, value, usual in (
        ("organisation", given.organisation, named),
        ("system", given.system, ""),
        ("sample-seed", given.sample_seed, "remit"),
        ("sample-size", str(given.sample_size), "3"),
    ):
        options += f" --{name} {quote(value)}" if value != usual else ""
    options += as_options(given.exchange)
    return doc.Annexes(
        configuration=dict(sorted(given.configuration.items())),
        policies=[
            doc.PolicyEntry(p.name, p.version, p.format, p.sha256, p.author, when(p.at))
            for p in sorted(given.policies, key=lambda p: (p.name, p.version))
        ],
        catalogues={f.id: f.sha256 for f in chosen},
        crosswalk_checked_on=crosswalk.checked_on,
        changes=doc.Since([wording.NO_CHANGES]),
        verify=wording.VERIFY,
        rerun=f"remit report --out DIR{options}",
    )
