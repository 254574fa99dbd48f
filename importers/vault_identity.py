"""Who stands behind a Vault token, and the ids of tasks, jobs and requests that its metadata and headers state."""

from __future__ import annotations

from importers.shared.fields import Json, first_text, key, keys, mapping, names_session, session_id, text, texts, trace_id
from lang.names import repository_name
from model.event import Key, Principal
from model.words import KeyRole

_PEOPLE = ("userpass", "ldap", "oidc", "okta", "radius")
_WORKLOADS = ("approle", "kubernetes", "gcp", "aws", "azure", "cert", "spiffe", "jwt", "nomad", "alicloud", "cf", "oci", "gke")
_PROOFS = {
    "userpass": "password", "ldap": "password", "radius": "password", "okta": "password", "approle": "static key",
    "jwt": "oidc", "oidc": "oidc", "kubernetes": "attested", "aws": "attested", "gcp": "attested", "azure": "attested", "gke": "attested",
    "alicloud": "attested", "oci": "attested", "cf": "attested", "nomad": "oidc", "cert": "certificate", "spiffe": "spiffe",
}  # fmt: skip
"""How each way of logging in proves who it is. A role's secret id is a static key, however short the token that comes of it."""
_SUBJECTS = ("sub", "subject", "oidc_subject", "repository_subject")
_HEADER_REQUESTS = frozenset({"x-request-id", "x-correlation-id"})


def shown(value: object) -> str:
    """An identifier the audit device did not mask; `****` and the like join nothing and count as missing."""
    found = text(value)
    return "" if not found or "***" in found or not found.strip("*xX-.") else found


def hashed(value: object) -> str:
    """The hashed token; a clear one is a secret and no identifier, so it joins nothing from here."""
    found = shown(value)
    return found if found.startswith("hmac-") else ""


def device_of(entry: Json) -> str:
    """The audit device as far as the record tells: its first hash. Salts differ per device, so one request logged by two
    devices is two records, while a changed copy within one device stays the same record.
    """
    auth, request = mapping(entry.get("auth")), mapping(entry.get("request"))
    data = mapping(request.get("data"))
    candidates = [
        auth.get("accessor"),
        auth.get("client_token"),
        request.get("client_token_accessor"),
        request.get("client_token"),
    ]
    candidates += [data[name] for name in sorted(data) if isinstance(data[name], str)]
    for value in candidates:
        if isinstance(value, str) and value.startswith("hmac-sha256:"):
            return value[12:28]
    return ""


def principal_of(auth: Json, mount_type: str) -> Principal | None:
    """The strongest name the token carries: SPIFFE id, service account, e-mail, subject, display name, entity."""
    metadata = mapping(auth.get("metadata"))
    display = text(auth.get("display_name"))
    kind = _kind(display, mount_type)
    if spiffe := next((v for v in metadata.values() if isinstance(v, str) and v.startswith("spiffe://")), ""):
        return Principal(spiffe, "workload")
    account = text(metadata.get("service_account_name"))
    if account and shown(account):
        namespace = text(metadata.get("service_account_namespace"))
        return Principal(f"system:serviceaccount:{namespace}:{account}" if namespace else account, "workload", "cluster")
    if allocation := first_text(metadata, "nomad_allocation_id", "AllocationID", "nomad_job_id"):
        job = first_text(metadata, "nomad_job_id", "JobID", "nomad_task", "Task")
        return Principal(display or job or allocation, "workload", "cluster")
    if person := first_text(metadata, "email", "mail", "preferred_username", "username", "user"):
        return Principal(person, "human" if kind == "human" else "unknown") if shown(person) else None
    if subject := _subject(metadata):
        return Principal(subject, "workload" if ":" in subject else kind, "ci" if subject.startswith("repo:") else "")
    if "organization:" in display and "workspace:" in display:
        return Principal(display, "workload", "ci")
    name = display or text(auth.get("entity_id"))
    return Principal(name, kind) if name and shown(name) else None


def proof_of(auth: Json, mount_type: str) -> str:
    """How the bearer of a token logged in: by the method of a login's mount ("" for any other request), else by the one the
    token's display name begins with.
    """
    display = text(auth.get("display_name"))
    if any(isinstance(v, str) and v.startswith("spiffe://") for v in mapping(auth.get("metadata")).values()):
        return "spiffe"
    return _PROOFS.get(mount_type) or ("static key" if display == "root" else _PROOFS.get(display.partition("-")[0], ""))


def _kind(display: str, mount_type: str) -> str:
    method = mount_type if mount_type in _PEOPLE + _WORKLOADS else display.split("-")[0]
    return "human" if method in _PEOPLE else "workload" if method in _WORKLOADS else "unknown"


def _subject(metadata: Json) -> str:
    return next((found for name in _SUBJECTS if (found := shown(metadata.get(name)))), "")


def stated_keys(request: Json, auth: Json) -> tuple[Key, ...]:
    """Scopes, requests and references that metadata, display name and audited headers state in clear."""
    found: list[Key | None] = []
    metadata = mapping(auth.get("metadata"))
    for name in metadata:
        value = metadata[name]
        if isinstance(value, str) and isinstance(name, str):
            if names_session(name):
                found.append(key(KeyRole.SCOPE, "session", session_id(value)))
            elif name == "run_id":
                repository = repository_name(text(metadata.get("repository")))
                if repository and value.isdecimal():
                    found.append(key(KeyRole.SCOPE, "ci.job", f"github-actions:{repository}:{value}"))
    display = text(auth.get("display_name"))
    if "agent" in display or "session" in display:
        found.append(key(KeyRole.SCOPE, "session", session_id(display)))
    headers = request.get("headers")
    if isinstance(headers, dict):
        found += _headers(headers)
    if subject := _subject(metadata):
        found.append(key(KeyRole.REFERENCE, "oidc.subject", subject))
    return keys(*found)


def _headers(headers: Json) -> list[Key | None]:
    found: list[Key | None] = []
    for name, value in headers.items():
        first = next(iter(texts(value)), "")
        lower = name.lower()
        if first.startswith("hmac-") or not first:
            continue
        if lower == "traceparent":
            found.append(key(KeyRole.SCOPE, "trace", trace_id(first)))
        elif lower in _HEADER_REQUESTS:
            found.append(key(KeyRole.CALL, "request", first))
        elif names_session(lower.removeprefix("x-")):
            found.append(key(KeyRole.SCOPE, "session", session_id(first)))
    return found
