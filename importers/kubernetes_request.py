"""One request to the Kubernetes API: what it does, on what, by whom, with which credential, and how it was decided."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

from importers.shared.fields import Json, first_text, key, mapping, names_session, number, session_id, text, texts
from model.event import CredentialFact, Key, Principal, Target
from model.words import Effect, KeyRole, TargetClass, Verb

_PATH = re.compile(r"^/(?:api/[^/]+|apis/[^/]+/[^/]+)/(?:watch/)?(?:namespaces/([^/]+)/)?([^/]+)(?:/([^/]+))?(?:/(.+))?$")
_BINDING = re.compile(r'allowed by ((?:Cluster)?RoleBinding) "([^"]+)" of ((?:Cluster)?Role) "([^"]+)"')
_ADMISSION = re.compile(
    r"""admission webhook "([^"]{1,253})" denied the request|AdmissionPolicy '([^']{1,253})'[^:]{0,300}? denied (?:the )?request"""
)
_JTI = re.compile(r"^JTI=(.+)$")
_OUT_OF_TIME = (408, 504)
_GUARDS: frozenset[str] = frozenset(
    [
        "roles",
        "rolebindings",
        "clusterroles",
        "clusterrolebindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "podsecuritypolicies",
        "networkpolicies",
        "resourcequotas",
        "limitranges",
    ]
)  # a list of names reads better as words
_READS = frozenset({"get", "list", "watch", ""})
_SESSIONS = frozenset({"sessionName", "scopes.session", "sourceIdentity"})
_RUNS = frozenset({"exec", "attach"})


class Caller(NamedTuple):
    """Who asked, the sessions its identity states and the credentials it showed."""

    principal: Principal | None
    scopes: tuple[Key, ...] = ()
    credentials: tuple[Key, ...] = ()
    fact: CredentialFact | None = None
    proof: str = ""


class Request:
    """What one audit event says of the request, whatever stage it stands for."""

    def __init__(self, entry: Json) -> None:
        reference = mapping(entry.get("objectRef"))
        self.uri = text(entry.get("requestURI"))
        path, _, query = self.uri.partition("?")
        named = _PATH.match(unquote(path))
        parts = named.groups() if named and not reference else (None, None, None, None)
        self.namespace = text(reference.get("namespace")) or parts[0] or ""
        self.resource = text(reference.get("resource")) or parts[1] or ""
        self.name = text(reference.get("name")) or parts[2] or ""
        self.subresource = text(reference.get("subresource")) or parts[3] or ""
        self.body = mapping(entry.get("requestObject"))
        self.response = mapping(entry.get("responseObject"))
        if not self.name:
            self.name = first_text(mapping(self.response.get("metadata")), "name") or first_text(
                mapping(self.body.get("metadata")), "name"
            )
        self.verb = text(entry.get("verb")).lower()
        self.status = mapping(entry.get("responseStatus"))
        self.code = number(self.status.get("code"))
        self.annotations = {_plain(name): value for name, value in mapping(entry.get("annotations")).items()}
        self.issued_id = _jti(self.annotations.get("authentication.kubernetes.io.issued-credential-id"))
        # OpenShift's sign-in server asks nobody but itself: who came and how it went stand in annotations of its own.
        self.signed_in = text(self.annotations.get("authentication.openshift.io.decision")).lower()
        self.action = Verb.CREDENTIAL_ISSUE if self.signed_in else action(self.verb, self.resource, self.subresource)
        self.command = self._command(query) if self.subresource in _RUNS else ""
        self.interactive = self.subresource in _RUNS and "tty=true" in query and "stdin=true" in query
        self.target = self._target(path)
        self.dry = "dryRun=All" in query or "All" in texts(self.body.get("dryRun"))
        self.caller = caller(mapping(entry.get("user")), mapping(entry.get("impersonatedUser")))
        if name := text(self.annotations.get("authentication.openshift.io.username")):
            self.caller = self.caller._replace(principal=Principal(name, _kind(name)), proof="")

    def _command(self, query: str) -> str:
        """The command of an exec: in the query as the client sent it, or in the request's options."""
        try:
            argv = parse_qs(query, keep_blank_values=True, max_num_fields=1000).get("command", [])
        except ValueError:
            argv = []
        argv = argv or list(texts(self.body.get("command")))
        if (
            len(argv) == 3
            and argv[0].rpartition("/")[2] in ("sh", "bash", "zsh", "ash", "dash")
            and argv[1] in ("-c", "-lc", "-ec")
        ):
            return argv[2]
        return shlex.join(argv)

    def _target(self, path: str) -> Target:
        kind = "/".join(part for part in (self.resource, self.name, self.subresource) if part)
        if self.action in (Verb.SECRET_READ, Verb.SECRET_WRITE):
            return Target(TargetClass.SECRET_STORE, "/".join(part for part in (self.namespace, self.name) if part), kind)
        return Target(TargetClass.CLUSTER, self.namespace, kind or path)

    @property
    def succeeded(self) -> bool | None:
        """Whether it was done; a request that ran out of time may have been, a refused sign-in is answered with a page."""
        if self.signed_in in ("deny", "error"):
            return False
        return None if self.code is None or self.code in _OUT_OF_TIME else self.code < 400

    def decision(self) -> tuple[Effect, str, str] | None:
        """Effect, the role that granted it and the reason; None where the record holds no word on permission.

        A request that was authorized can still be refused by an admission controller: the answer is what counts.
        """
        if self.signed_in == "error" and self.code not in (401, 403):
            return Effect.UNKNOWN, "", "the sign-in ended in an error"
        said = self.signed_in or text(self.annotations.get("authorization.k8s.io.decision")).lower()
        reason = text(self.annotations.get("authorization.k8s.io.reason"))
        refusal = first_text(self.status, "message", "reason")
        # A webhook may choose the code its refusal is answered with; 400 is usual.
        admission = _ADMISSION.search(refusal) if not self.succeeded else None
        if self.code in (401, 403) or said in ("forbid", "deny") or admission:
            policy = (admission.group(1) or admission.group(2)) if admission else ""
            return (
                Effect.DENY,
                policy,
                refusal or reason or ("the sign-in was refused" if self.signed_in else "refused by the API server"),
            )
        if said != "allow":
            return None
        m = _BINDING.search(reason)
        return Effect.ALLOW, f"{m.group(3)}/{m.group(4)}" if m else "", reason


@lru_cache(maxsize=4096)
def action(verb: str, resource: str, subresource: str) -> Verb:
    """What a Kubernetes verb on a resource does in Remit's words."""
    if subresource in _RUNS and resource in ("pods", ""):
        return Verb.EXEC
    if resource == "secrets":
        return Verb.SECRET_READ if verb in _READS else Verb.SECRET_WRITE
    if (resource, subresource) == ("serviceaccounts", "token") and verb not in _READS:
        return Verb.CREDENTIAL_ISSUE
    if resource == "certificatesigningrequests" and (subresource == "approval" or verb == "create"):
        return Verb.CREDENTIAL_ISSUE
    if resource in _GUARDS and verb not in _READS:
        return Verb.GUARDRAIL_CHANGE
    return Verb.CLUSTER_CALL


def caller(user: Json, impersonated: Json) -> Caller:
    """The user of a request; whom it impersonates stands beside it."""
    name = text(user.get("username"))
    extra = {_plain(name): value for name, value in mapping(user.get("extra")).items()}
    acting = {_plain(name): value for name, value in mapping(impersonated.get("extra")).items()}
    scopes = tuple(
        dict.fromkeys(
            Key(KeyRole.SCOPE, "session", found)
            for stated in (extra, acting)
            for field in stated
            if (field in _SESSIONS or names_session(field)) and (found := session_id(_first(stated[field])))
        )
    )
    shown = (
        key(KeyRole.CREDENTIAL, "aws.key", _first(extra.get("accessKeyId"))),
        key(KeyRole.CREDENTIAL, "jti", _jti(_first(extra.get("authentication.kubernetes.io.credential-id")))),
        key(KeyRole.CREDENTIAL, "x509.sha256", _x509(_first(extra.get("authentication.kubernetes.io.credential-id")))),
    )
    credentials = tuple(one for one in shown if one is not None)
    arn = _first(extra.get("arn"))
    fact = None
    if credentials:
        kind = {"aws.key": "aws.session", "jti": "kubernetes-token"}.get(credentials[0].kind, "x509")
        fact = CredentialFact(kind=kind, subject=arn or name)
    if not name and not arn:
        return Caller(None, scopes, credentials, fact)
    acts_as = text(impersonated.get("username"))
    proof = "attested" if "authentication.kubernetes.io.pod-name" in extra else ""
    proof = proof or ("certificate" if fact is not None and fact.kind == "x509" else "none" if name == "system:anonymous" else "")
    return Caller(Principal(arn or name, _kind(name), _origin(name, extra), acts_as), scopes, credentials, fact, proof)


def _kind(name: str) -> str:
    if name.startswith("system:serviceaccount:"):
        return "workload"
    return "service" if name.startswith("system:") else "human" if "@" in name else "unknown"


def _origin(name: str, extra: Json) -> str:
    inside = name.startswith(("system:serviceaccount:", "system:node:")) or "authentication.kubernetes.io.pod-name" in extra
    return "cluster" if inside else ""


def _plain(name: str) -> str:
    """A member name as Kubernetes writes it, its separators alike: some shippers replace dots and slashes."""
    return name.replace("_slash_", ".").replace("/", ".").replace("_", ".")


def _first(value: object) -> str:
    """`extra` holds a list under each name."""
    found = texts(value)
    return found[0] if found else ""


def _jti(value: object) -> str:
    m = _JTI.match(text(value))
    return m.group(1) if m else ""


def _x509(value: str) -> str:
    return value.removeprefix("X509SHA256=") if value.startswith("X509SHA256=") else ""
