"""What a reader of the machine formats may have to set: versions of the formats, and where the organisation's own plans lie."""

from __future__ import annotations

import re
from shlex import quote

import msgspec

from reports.errors import ReportError, UnknownName

OSCAL_VERSIONS = ("1.1.2", "1.1.3", "1.2.0", "1.2.1", "1.2.2")
OCSF_VERSIONS = ("1.8.0", "1.5.0")
_REFERENCE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]{1,2000}")


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the machine formats. `import_ap` and `import_ssp` are URI references, "" where there is no such document."""

    oscal_version: str = OSCAL_VERSIONS[0]
    import_ap: str = ""
    import_ssp: str = ""
    system_id: str = ""
    ocsf_version: str = OCSF_VERSIONS[0]


def as_options(settings: Exchange) -> str:
    """The settings that differ from the defaults, as options of `remit report`."""
    usual = Exchange()
    given = {name: value for name in settings.__struct_fields__ if (value := getattr(settings, name)) != getattr(usual, name)}
    return "".join(f" --{name.replace('_', '-')} {quote(str(value))}" for name, value in given.items())


def check(settings: Exchange) -> Exchange:
    """The settings, or a ReportError that says which one no reader would take."""
    for what, value, known in (
        ("OSCAL version", settings.oscal_version, OSCAL_VERSIONS),
        ("OCSF version", settings.ocsf_version, OCSF_VERSIONS),
    ):
        if value not in known:
            raise UnknownName(what, value, known)
    for what, value in (("assessment plan", settings.import_ap), ("system security plan", settings.import_ssp)):
        if value and not _REFERENCE.fullmatch(value):
            raise ReportError(f"{value[:80]!r} is no reference to an {what}; give a URI or a relative path, percent-encoded")
    return settings
