"""Which events a Sigma log source means here, and what its fields are called; from the Sigma taxonomy and each log's own format.

A field stands here only where an event holds exactly what the field means. All others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_API = r"/(?:api/[^/?]+|apis/[^/?]+/[^/?]+)/"


@dataclass(frozen=True)
class Named:
    """A field that one attribute holds, whole or as the part between two patterns of RE2."""

    attribute: str
    before: str = ""
    after: str = ""
    number: bool = False

    @property
    def whole(self) -> bool:
        return not self.before and not self.after


@dataclass(frozen=True)
class LogSource:
    """The events of one log source: the condition that picks them, their fields, and what is to be said of the translation.

    `refused` where the log has events of what it refused too, as rules for it expect.
    """

    base: str
    fields: Mapping[str, Named]
    note: str = ""
    refused: bool = False


_SYSTEM = "Which system it was is stated by no event: every system that is watched is looked at."
_CLIENT = "Client software is kept to its first 300 characters."
_PROCESS = LogSource(
    'event.verb == "exec"',
    {
        "CommandLine": Named("event.command"),
        "Image": Named("event.image"),
        "CurrentDirectory": Named("event.cwd"),
    },
    f"{_SYSTEM} The command line in an agent's own record is the one it gave its shell; what that starts is seen by a witness alone.",
)
_FILE = {"TargetFilename": Named("event.path")}
_FILE_NOTE = "As in Sysmon, creating a file and overwriting one are the same event. " + _SYSTEM
_NETWORK = LogSource(
    'event.verb == "net.connect"',
    {
        "DestinationHostname": Named("event.destination_host"),
        "DestinationIp": Named("event.destination_ip"),
        "DestinationPort": Named("event.destination_port", number=True),
    },
    _SYSTEM,
)
_CLOUDTRAIL = LogSource(
    'event.format == "cloudtrail" && event.kind == "effect"',
    {
        "eventSource": Named("event.tool", "", r":.*"),
        "eventName": Named("event.tool", r"[^:]*:"),
        "errorCode": Named("event.status"),
        "awsRegion": Named("event.region"),
        "sourceIPAddress": Named("event.host"),
        "userAgent": Named("event.user_agent"),
    },
    f"Services are known by the same name in every AWS partition. {_CLIENT}",
    refused=True,
)
_GITHUB = LogSource(
    'event.format == "github-audit" && event.kind in ["effect", "credential"]',
    {
        "action": Named("event.tool"),
        "actor": Named("event.principal"),
        "actor_ip": Named("event.host"),
        "user_agent": Named("event.user_agent"),
        "repo": Named("event.repository"),
    },
    _CLIENT,
    refused=True,
)
_KUBERNETES = LogSource(
    'event.format == "kubernetes" && event.kind == "effect"',
    {
        "verb": Named("event.tool", "", r"(?: .*)?"),
        "objectRef.resource": Named("event.tool", r"\S* "),
        "objectRef.namespace": Named("event.url", f"{_API}namespaces/", r"(?:[/?].*)?"),
        "objectRef.subresource": Named("event.url", f"{_API}(?:namespaces/[^/?]+/)?[^/?]+/[^/?]+/", r"(?:[/?].*)?"),
        "requestURI": Named("event.url"),
        "userAgent": Named("event.user_agent"),
        "responseStatus.code": Named("event.status"),
    },
    f"Namespace and subresource are read from the request's address. {_CLIENT}",
    refused=True,
)
_BY_NAME: dict[tuple[str, str, str], LogSource] = {
    ("file_event", "", ""): LogSource('event.verb == "file.write"', _FILE, _FILE_NOTE),
    ("file_delete", "", ""): LogSource('event.verb == "file.delete"', _FILE, _SYSTEM),
    ("network_connection", "", ""): _NETWORK,
    ("process_creation", "", ""): _PROCESS,
    ("", "aws", "cloudtrail"): _CLOUDTRAIL,
    ("", "github", "audit"): _GITHUB,
    ("", "kubernetes", "audit"): _KUBERNETES,
    ("application", "kubernetes", "audit"): _KUBERNETES,
    ("application", "kubernetes", ""): _KUBERNETES,
}
_SYSTEMS = frozenset({"", "linux", "macos"})

API_VERSION = re.compile(r"\d{4,}")
"""CloudTrail events are kept without the API version that Lambda writes behind its calls."""
SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com\Z")


def log_source(category: str, product: str, service: str) -> LogSource | None:
    """The events of a log source; None where there is no counterpart."""
    if category in ("file_event", "file_delete", "network_connection", "process_creation"):
        return _BY_NAME.get((category, "", service)) if product in _SYSTEMS else None
    return _BY_NAME.get((category, product, service))


def known_sources() -> str:
    """The log sources that can be carried over, for messages."""
    return "process_creation, file_event, file_delete and network_connection of Linux and macOS, aws/cloudtrail, github/audit, kubernetes/audit"
