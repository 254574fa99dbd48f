"""What a Vault or OpenBao request does, told by its path, operation and secrets engine."""

from __future__ import annotations

from functools import lru_cache

from model.event import Target
from model.words import TargetClass, Verb

_WRITES = frozenset({"create", "update", "patch", "delete"})
_KV = frozenset({"kv", "generic", "cubbyhole"})
_KV_MOUNTS = frozenset({"secret", "secrets", "kv", "kv-v1", "kv-v2", "cubbyhole"})
# Engines whose paths below these words hand out a credential that did not exist before.
_HANDS_OUT = frozenset(
    {"creds", "static-creds", "creds-check-out", "sts", "sign", "sign-verbatim", "sign-intermediate", "issue", "token", "key"}
    | {"generate", "credentials", "check-out", "identity-token"}
)
# Below a mount nobody says the engine of, only those of them that hardly mean anything else.
_SURELY_HANDS_OUT = frozenset({"creds", "static-creds", "creds-check-out", "sts", "sign", "sign-verbatim", "issue", "check-out"})
_ENGINES = frozenset(
    {"aws", "azure", "gcp", "gcpkms", "database", "consul", "nomad", "kubernetes", "rabbitmq", "ssh", "pki", "ldap", "openldap"}
    | {"ad", "terraform", "mongodbatlas", "alicloud", "kmip", "github", "gitlab"}
)
_GUARDRAILS = (
    "sys/policy",
    "sys/policies",
    "sys/audit",
    "sys/auth",
    "sys/config",
    "sys/quotas",
    "sys/seal",
    "sys/mfa",
    "sys/raw",
)


@lru_cache(maxsize=8192)
def vault_verb(operation: str, path: str, mount_type: str = "") -> Verb:
    """The verb of a request; `unknown` where the path says nothing known, e.g. a custom plugin or a health check."""
    path = path.strip("/")
    if path.startswith("auth/"):
        return _auth(operation, path)
    if path.startswith("sys/"):
        return _sys(operation, path)
    if operation in ("help", "header", "alias-lookahead", "resolve-role"):
        return Verb.UNKNOWN
    first, _, rest = path.partition("/")
    if path.startswith("identity/"):
        provided = path.startswith("identity/oidc/provider/") and path.endswith("/token")
        if provided or (operation == "read" and path.startswith("identity/oidc/token/")):
            return Verb.CREDENTIAL_ISSUE
        asked = path.startswith(("identity/lookup/", "identity/oidc/introspect")) or operation not in _WRITES
        return Verb.UNKNOWN if asked else Verb.GUARDRAIL_CHANGE
    if mount_type in _KV or (not mount_type and first in _KV_MOUNTS) or mount_type == "cubbyhole":
        return Verb.SECRET_WRITE if operation in _WRITES else Verb.SECRET_READ if operation in ("read", "list") else Verb.UNKNOWN
    engine = mount_type or first
    if engine == "transit":
        return Verb.SECRET_READ if rest.startswith(("decrypt/", "export/", "backup/", "datakey/plaintext/")) else Verb.UNKNOWN
    if engine == "totp" and "code/" in path:
        return Verb.SECRET_READ
    parts = rest.split("/")
    hands_out = _HANDS_OUT if engine in _ENGINES else _SURELY_HANDS_OUT if not mount_type else frozenset()
    if hands_out.intersection(parts) and operation in ("read", "create", "update"):
        return Verb.CREDENTIAL_ISSUE
    if (engine == "pki" and parts[-1] in ("revoke", "revoke-with-key")) or (engine in _ENGINES and parts[-1] == "check-in"):
        return Verb.CREDENTIAL_REVOKE
    if engine in _ENGINES and operation in _WRITES:
        return Verb.SECRET_WRITE
    return Verb.UNKNOWN


def _auth(operation: str, path: str) -> Verb:
    parts = path.split("/")
    last = parts[-1]
    if parts[1] == "token":
        word = parts[2] if len(parts) > 2 else ""
        if word.startswith("create"):
            return Verb.CREDENTIAL_ISSUE if operation in _WRITES else Verb.UNKNOWN
        if word.startswith("renew"):
            return Verb.CREDENTIAL_RENEW
        if word.startswith("revoke"):
            return Verb.CREDENTIAL_REVOKE
        return Verb.GUARDRAIL_CHANGE if word == "roles" and operation in _WRITES else Verb.UNKNOWN
    if is_login(path):
        return Verb.CREDENTIAL_ISSUE
    if last in ("secret-id", "custom-secret-id"):
        return Verb.CREDENTIAL_ISSUE if operation in _WRITES else Verb.UNKNOWN
    if "secret-id" in parts or "secret-id-accessor" in parts:
        return Verb.CREDENTIAL_REVOKE if last == "destroy" or operation == "delete" else Verb.UNKNOWN
    return Verb.GUARDRAIL_CHANGE if operation in _WRITES else Verb.UNKNOWN


def _sys(operation: str, path: str) -> Verb:
    if path.startswith(("sys/leases/revoke", "sys/revoke")):
        return Verb.CREDENTIAL_REVOKE
    if path.startswith(("sys/leases/renew", "sys/renew")):
        return Verb.CREDENTIAL_RENEW
    if path == "sys/wrapping/unwrap":
        return Verb.SECRET_READ
    if is_login(path):
        return Verb.CREDENTIAL_ISSUE
    if path in ("sys/wrapping/wrap", "sys/wrapping/rewrap"):
        return Verb.CREDENTIAL_ISSUE
    if path.startswith(("sys/generate-root", "sys/init", "sys/rekey", "sys/unseal")) and operation in _WRITES:
        return Verb.CREDENTIAL_ISSUE if path.startswith("sys/generate-root") else Verb.GUARDRAIL_CHANGE
    if path.startswith("sys/audit-hash"):
        return Verb.UNKNOWN
    return Verb.GUARDRAIL_CHANGE if operation in _WRITES and path.startswith(_GUARDRAILS) else Verb.UNKNOWN


def is_login(path: str) -> bool:
    """Whether this path gives a token to somebody who has none yet (`auth/<mount>/login...`, an OIDC or SAML call-back, a second factor)."""
    parts = path.strip("/").split("/")
    if parts == ["sys", "mfa", "validate"]:
        return True
    if len(parts) < 3 or parts[0] != "auth" or parts[1] == "token":
        return False
    return "login" in parts[2:] or parts[-1] in ("callback", "poll") or (parts[-1] == "token" and "oidc" in parts)


def vault_target(operation: str, path: str, namespace: str = "") -> Target:
    """The path as the target, below its namespace where it is not the root; a listing says so in the detail."""
    name = path.strip("/")
    if namespace.strip("/") not in ("", "root"):
        name = f"{namespace.strip('/')}/{name}"
    return Target(TargetClass.SECRET_STORE, name, "list" if operation == "list" else "")
