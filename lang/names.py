"""Names of things in one spelling: repositories, hosts, packages."""

from __future__ import annotations

import re

_SCP = re.compile(r"^(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)$")
_URL = re.compile(r"^(?:git\+)?[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?([^/:\s]+)(?::\d+)?/(.+)$", re.I)
_SLUG = re.compile(r"^[\w.-]+(?:/[\w.-]+)+$")


def repository_name(address: str) -> str:
    """`owner/name` of a repository address (https, ssh, scp-like or already a slug), "" if it is none of these."""
    text = address.strip().rstrip("/")
    path = ""
    if m := _URL.match(text):
        path = m.group(2)
    elif _SLUG.match(text):
        path = text
    elif m := _SCP.match(text):
        path = m.group(2)
    path = path.split("?")[0].split("#")[0].removesuffix(".git").strip("/")
    return path.lower() if _SLUG.match(path) else ""


def host_name(address: str) -> str:
    """The lower-case host of a URL or `host:port`, "" if there is none."""
    text = address.strip()
    if m := re.match(r"^[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?(\[[0-9a-f:]+\]|[^/:?#\s]+)", text, re.I):
        return m.group(1).lower().rstrip(".")
    if m := re.match(r"^([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d+)?(?:/.*)?$", text, re.I):
        return m.group(1).lower()
    return ""
