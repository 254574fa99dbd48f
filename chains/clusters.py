"""What `kubectl` asks of a cluster and what the API server's log tells, in one spelling: namespace, kind, name, and whether it changes something.

Neither names the cluster as the other does, so it is no part of it; without a namespace nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lang.late import late
from model.event import Event, Operation
from model.words import TargetClass, Verb

ON = "on="
"""Begins the flag by which a command line's operation names what it is done to, `kind/name`."""

_SHORT = {
    "cj": "cronjobs", "cm": "configmaps", "crd": "customresourcedefinitions", "deploy": "deployments", "ds": "daemonsets",
    "endpoints": "endpoints", "ep": "endpoints", "ev": "events", "hpa": "horizontalpodautoscalers", "ing": "ingresses", "ingress": "ingresses",
    "limits": "limitranges", "netpol": "networkpolicies", "networkpolicy": "networkpolicies", "pdb": "poddisruptionbudgets", "po": "pods",
    "pvc": "persistentvolumeclaims", "quota": "resourcequotas", "rc": "replicationcontrollers", "rs": "replicasets", "sa": "serviceaccounts",
    "sts": "statefulsets", "svc": "services",
}  # fmt: skip
_READS = frozenset({"get", "list", "watch", "head"})
_CHANGES = frozenset({"create", "update", "patch", "delete", "deletecollection", "connect", "post", "put"})
"""The API's own verbs, and the methods of HTTP by which a proxy before it tells them."""
_LOOKS = frozenset({"get", "describe", "logs", "wait", "top", "diff", "rollout status", "rollout history", "events"})

_CLIENT = late(r"kubectl|^(?:oc|tsh)/|teleport", re.I)
"""Begins, or is in, the name by which the clients of a command line call themselves; controllers look at the same things all the time."""


def cluster_asked(operation: Operation) -> Iterator[str]:
    """The values of what a command does to a cluster; what changes something looks first."""
    on = next((flag.removeprefix(ON) for flag in operation.flags if flag.startswith(ON)), "")
    done = next((flag.removeprefix("op=") for flag in operation.flags if flag.startswith("op=")), "")
    if operation.verb is Verb.CLUSTER_CALL and operation.target.detail and on:
        place = f"{operation.target.detail.casefold()}/{thing_of(on)}"
        yield _value(place, changes=False)
        if done.partition(" ")[0] not in _LOOKS and " ".join(done.split(" ")[:2]) not in _LOOKS:
            yield _value(place, changes=True)


def cluster_seen(event: Event) -> Iterator[str]:
    """The value of what the API server's record tells, or that of a proxy before it; a part of a thing (`pods/web-1/log`) is the thing's."""
    agent = event.attrs.get("user_agent")
    if isinstance(agent, str) and agent and not _CLIENT.search(agent):
        return
    verb, where = event.tool.partition(" ")[0].lower(), event.target
    if where.cls is TargetClass.CLUSTER and where.name and where.detail and verb in _READS | _CHANGES:
        yield _value(f"{where.name.casefold()}/{thing_of(where.detail)}", changes=verb in _CHANGES)


def _value(place: str, *, changes: bool) -> str:
    return f"{Verb.CLUSTER_CALL.value}|{place}:{'change' if changes else 'look'}"


def thing_of(stated: str) -> str:
    """`kind/name` with the kind in the plural and without its group."""
    kind, _, name = stated.casefold().partition("/")
    kind = kind.partition(".")[0]
    kind = _SHORT.get(kind) or (kind if kind.endswith("s") else f"{kind}s")
    return f"{kind}/{name.partition('/')[0]}".rstrip("/")
