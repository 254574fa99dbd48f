"""What `kubectl` asks of a cluster and what the API server's log tells, in one spelling: namespace, kind, name, and whether it changes something.

Neither names the cluster as the other does, so it is no part of it. Without a namespace nothing is said, but of a thing with a name whose
kind has none.
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
    "csr": "certificatesigningrequests", "no": "nodes", "ns": "namespaces", "pc": "priorityclasses", "pv": "persistentvolumes",
    "sc": "storageclasses", "priorityclass": "priorityclasses", "storageclass": "storageclasses", "ingressclass": "ingressclasses",
    "runtimeclass": "runtimeclasses", "clusterpolicy": "clusterpolicies", "cpol": "clusterpolicies",
    "podsecuritypolicy": "podsecuritypolicies", "psp": "podsecuritypolicies",
    "validatingadmissionpolicy": "validatingadmissionpolicies", "mutatingadmissionpolicy": "mutatingadmissionpolicies",
}  # fmt: skip
_CLUSTER_WIDE = frozenset(
    [
        "apiservices",
        "certificatesigningrequests",
        "clusterpolicies",
        "clusterrolebindings",
        "clusterroles",
        "constrainttemplates",
        "customresourcedefinitions",
        "ingressclasses",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "namespaces",
        "nodes",
        "persistentvolumes",
        "podsecuritypolicies",
        "priorityclasses",
        "runtimeclasses",
        "storageclasses",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ]
)
"""Kinds of things that lie in no namespace."""
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
    asked = (
        operation.verb in (Verb.CLUSTER_CALL, Verb.GUARDRAIL_CHANGE, Verb.CREDENTIAL_ISSUE)
        and operation.target.cls is TargetClass.CLUSTER
    )
    place = _place(operation.target.detail, on) if asked else ""
    if place:
        yield _value(place, changes=False)
        if done.partition(" ")[0] not in _LOOKS and " ".join(done.split(" ")[:2]) not in _LOOKS:
            yield _value(place, changes=True)


def cluster_seen(event: Event) -> Iterator[str]:
    """The value of what the API server's record tells, or that of a proxy before it; a part of a thing (`pods/web-1/log`) is the thing's."""
    agent = event.attrs.get("user_agent")
    if isinstance(agent, str) and agent and not _CLIENT.search(agent):
        return
    verb, where = event.tool.partition(" ")[0].lower(), event.target
    place = _place(where.name, where.detail) if where.cls is TargetClass.CLUSTER and verb in _READS | _CHANGES else ""
    if place:
        yield _value(place, changes=verb in _CHANGES)


def _place(namespace: str, on: str) -> str:
    """Where a thing lies and what it is; "" where that is not known."""
    thing = thing_of(on) if on else ""
    if thing.partition("/")[0] in _CLUSTER_WIDE:
        return f"/{thing}" if "/" in thing else ""
    return f"{namespace.casefold()}/{thing}" if namespace and thing else ""


def _value(place: str, *, changes: bool) -> str:
    return f"{Verb.CLUSTER_CALL.value}|{place}:{'change' if changes else 'look'}"


def thing_of(stated: str) -> str:
    """`kind/name` with the kind in the plural and without its group."""
    kind, _, name = stated.casefold().partition("/")
    kind = kind.partition(".")[0]
    kind = _SHORT.get(kind) or (kind if kind.endswith("s") else f"{kind}s")
    return f"{kind}/{name.partition('/')[0]}".rstrip("/")
