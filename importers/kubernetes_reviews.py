"""What the API server answered a component that asked it whether somebody may do something (SubjectAccessReview).

A proxy or an extension server lets requests through by that answer. What one asks of oneself (`kubectl auth can-i`) is not asked
because anything is being done.
"""

from __future__ import annotations

from dataclasses import replace

from importers.kubernetes_request import Request, action, caller
from importers.shared.fields import first_text, key, mapping, text
from importers.shared.told import Told
from model.event import Event, Target
from model.words import Effect, KeyRole, TargetClass, Verb

_REVIEWS = frozenset({"subjectaccessreviews", "localsubjectaccessreviews"})


def answered(told: Told, request: Request, audit: str) -> list[Event]:
    """The verdict on whoever was asked about, a step of its own beside the asking; nothing where the log holds no answer."""
    if request.resource not in _REVIEWS or request.verb != "create":
        return []
    status = mapping(request.response.get("status"))
    spec = mapping(request.response.get("spec")) or mapping(request.body.get("spec"))
    allowed = status.get("allowed")
    if not isinstance(allowed, bool) or not text(spec.get("user")):
        return []
    asked = mapping(spec.get("resourceAttributes"))
    elsewhere = mapping(spec.get("nonResourceAttributes"))
    verb, resource = text(asked.get("verb")).lower(), text(asked.get("resource"))
    namespace, name, below = (text(asked.get(part)) for part in ("namespace", "name", "subresource"))
    does = action(verb, resource, below)
    kind = "/".join(part for part in (resource, name, below) if part) or first_text(elsewhere, "path")
    if does in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        target = Target(TargetClass.SECRET_STORE, "/".join(part for part in (namespace, name) if part), kind)
    else:
        target = Target(TargetClass.CLUSTER, namespace, kind)
    who = caller({"username": spec.get("user"), "extra": spec.get("extra")}, {})
    own = key(KeyRole.CALL, "k8s.review", audit)
    about = replace(
        told,
        principal=who.principal,
        verb=does,
        target=target,
        tool=" ".join(part for part in (verb or first_text(elsewhere, "verb").lower(), resource) if part),
        keys=tuple(one for one in (own, *who.scopes) if one is not None),
        attrs={name: value for name, value in told.attrs.items() if name == "account"},
    )
    return [about.verdict(Effect.ALLOW if allowed else Effect.DENY, reason=first_text(status, "reason", "evaluationError"))]
