"""Who made an AWS call, for whom, from where, and which agent session, job or subject its identity states."""

from __future__ import annotations

from importers.shared.fields import Json, dig, first_text, key, keys, mapping, names_session, session_id, text
from lang.late import late
from lang.names import repository_name
from model.event import Key, Principal
from model.words import KeyRole

_GITHUB_SUBJECT = late(r"repo:([\w.-]+/[\w.-]+):")
_RUN = late(r"(?:^|[^0-9a-zA-Z])(\d{8,12})(?:$|[^0-9a-zA-Z])")
_INSTANCE = late(r"^i-[0-9a-f]{8,17}$")
_SESSION_OF = late(r":(?:assumed-role/[^/]+|federated-user)/(.+)$")
_SESSION_ID = late(r"^AROA\w+:(.+)$")
_FEDERATED_SUBJECT = late(r"(?:^|:)((?:repo|project_path|system:serviceaccount|organization):.+)$")


def principal_of(identity: Json, extra: Json | None = None) -> Principal | None:
    """The caller under the name CloudTrail gives: ARN, else service, user name or principal id; `extra` names who signs in."""
    kind_of = text(identity.get("type"))
    account = text(identity.get("accountId"))
    # Who signs in is not known yet: the identity's id is then the number of the account that is signed in to.
    signs_in = kind_of == "IdentityCenterUser" or (kind_of == "Unknown" and text(identity.get("principalId")) in ("", account))
    name = first_text(identity, "arn", "invokedBy", "userName", *(() if signs_in else ("principalId",)))
    if signs_in:
        name = name or first_text(extra or {}, "UserName") or text(dig(identity, "onBehalfOf", "userId"))
    name = name or ("" if kind_of == "Unknown" and signs_in and "anonymous" not in account.lower() else account)
    if not name:
        return None
    context = mapping(identity.get("sessionContext"))
    origin = origin_of(identity)
    kind = "unknown"
    if kind_of == "AWSService":
        kind, name, origin = "service", text(identity.get("invokedBy")) or name, "cloud"
    elif kind_of in ("SAMLUser", "IdentityCenterUser") or "assumed-role/AWSReservedSSO_" in name:
        kind = "human"
    elif kind_of == "WebIdentityUser" or origin in ("ci", "cluster", "cloud"):
        kind = "workload"
    behalf = text(context.get("sourceIdentity")) or text(dig(identity, "onBehalfOf", "userId"))
    return Principal(name, kind, origin, "" if behalf == name else behalf)


def sign_in_failed(name: str, response: Json, details: Json) -> bool:
    """Whether a sign-in event says so: its own name stands beside the word, as in `{"ConsoleLogin": "Failure"}`."""
    return "Failure" in (response.get(name), details.get(name))


def origin_of(identity: Json) -> str:
    """ci, cluster or cloud where the federation or the role session proves it, else ""."""
    provider = text(dig(identity, "sessionContext", "webIdFederationData", "federatedProvider"))
    provider += text(identity.get("identityProvider"))
    if "token.actions.githubusercontent.com" in provider or "gitlab" in provider or "app.terraform.io" in provider:
        return "ci"
    if "oidc.eks." in provider:
        return "cluster"
    if dig(identity, "sessionContext", "ec2RoleDelivery") or _INSTANCE.match(session_name(identity)):
        return "cloud"
    return ""


def proof_of(identity: Json) -> str:
    """How the caller proved who it is, as far as its identity shows; "" where a role was taken by means that are not shown."""
    kind = text(identity.get("type"))
    if kind == "WebIdentityUser" or dig(identity, "sessionContext", "webIdFederationData"):
        return "oidc"
    if dig(identity, "sessionContext", "ec2RoleDelivery") or _INSTANCE.match(session_name(identity)) or kind == "AWSService":
        return "attested"
    if kind in ("IAMUser", "Root") and text(identity.get("accessKeyId")).startswith("AKIA"):
        return "static key"
    if kind in ("SAMLUser", "IdentityCenterUser"):
        return "session"
    return "none" if kind in ("Unknown", "AWSAccount") and "anonymous" in text(identity.get("accountId")).lower() else ""


def session_name(identity: Json) -> str:
    """The role session name within an assumed role's ARN; a caller of another account has only a principal id."""
    m = _SESSION_OF.search(text(identity.get("arn"))) or _SESSION_ID.match(text(identity.get("principalId")))
    return m.group(1) if m else ""


def subject_of(identity: Json, parameters: Json, response: Json) -> str:
    """The OIDC subject behind a federated call: as the response, the identity or the federation data state it."""
    if stated := text(response.get("subjectFromWebIdentityToken")):
        return stated
    data = mapping(dig(identity, "sessionContext", "webIdFederationData"))
    for name, value in mapping(data.get("attributes")).items():
        if name.endswith(":sub") and isinstance(value, str):
            return value
    if text(identity.get("type")) == "WebIdentityUser":
        for value in (text(identity.get("userName")), text(identity.get("principalId"))):
            if m := _FEDERATED_SUBJECT.search(value):
                return m.group(1)
        return text(identity.get("userName"))
    return ""


def stated_keys(identity: Json, parameters: Json, response: Json, extra: Json) -> tuple[Key, ...]:
    """Agent sessions and CI jobs written into role session name, source identity or session tags; the OIDC subject."""
    name = text(parameters.get("roleSessionName")) or session_name(identity)
    federated = text(parameters.get("name")) if mapping(response.get("federatedUser")) else ""
    values = [name, federated, text(parameters.get("sourceIdentity")), text(dig(identity, "sessionContext", "sourceIdentity"))]
    values += _tags(parameters.get("tags")) + _tags(parameters.get("principalTags")) + _tags(extra.get("principalTags"))
    values.append(session_name(identity))
    found: list[Key | None] = [key(KeyRole.SCOPE, "session", session_id(value)) for value in values if len(value) >= 36]
    if subject := subject_of(identity, parameters, response):
        if (m := _GITHUB_SUBJECT.search(subject)) and (run := _RUN.search(name)):
            repository = repository_name(m.group(1))
            found.append(key(KeyRole.SCOPE, "ci.job", f"github-actions:{repository}:{run.group(1)}"))
        found.append(key(KeyRole.REFERENCE, "oidc.subject", subject))
    return keys(*found)


def _tags(value: object) -> list[str]:
    """Values of the session tags whose name is the place for a session id."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(text(mapping(one).get("key")), mapping(one).get("value")) for one in value]
    else:
        return []
    return [found for name, found in pairs if isinstance(found, str) and isinstance(name, str) and names_session(name)]
