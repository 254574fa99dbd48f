"""What a granted scope permits and what a task exercised, in one vocabulary: permission -> level, where the two can be compared.

Understood are the permissions of GitHub Apps and fine-grained tokens (`contents:write`), GitHub's OAuth scopes (`repo`,
`admin:org`) and grants of everything (`*`, Vault's `root`, AWS `AdministratorAccess`). The name of a policy or a role says
nothing of what it permits; permissions whose use no verb of ours shows are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from model.words import Verb

_PERMISSION = re.compile(r"^([a-z][a-z_-]{1,40})[:=](read|write|admin)$")
_ALL = re.compile(r"^(?:\*|\*:\*|root|all|.*:policy/AdministratorAccess|.*\badmin:\*)$")

# Permission -> the verbs that exercise it for reading and for writing.
_EXERCISED: dict[str, tuple[frozenset[Verb], frozenset[Verb]]] = {
    "contents": (frozenset({Verb.REPO_READ}), frozenset({Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_MERGE, Verb.CI_MODIFY})),
    "pull_requests": (frozenset(), frozenset({Verb.PR_OPEN, Verb.PR_MERGE, Verb.TICKET_UPDATE})),
    "issues": (frozenset(), frozenset({Verb.TICKET_OPEN, Verb.TICKET_UPDATE})),
    "actions": (frozenset(), frozenset({Verb.CI_RUN})),
    "workflows": (frozenset(), frozenset({Verb.CI_MODIFY})),
    "packages": (frozenset({Verb.PACKAGE_INSTALL}), frozenset({Verb.PACKAGE_PUBLISH})),
    "secrets": (frozenset({Verb.SECRET_READ}), frozenset({Verb.SECRET_WRITE})),
    "administration": (frozenset(), frozenset({Verb.GUARDRAIL_CHANGE, Verb.CREDENTIAL_ISSUE, Verb.CREDENTIAL_REVOKE})),
}
_ANY_WRITE = frozenset(verb for _, writes in _EXERCISED.values() for verb in writes)
# OAuth scope -> the verbs of which one at least exercises it.
_OAUTH: dict[str, frozenset[Verb]] = {
    "repo": _ANY_WRITE | {Verb.REPO_READ},
    "public_repo": _ANY_WRITE,
    "workflow": frozenset({Verb.CI_MODIFY}),
    "write:packages": frozenset({Verb.PACKAGE_PUBLISH}),
    "delete:packages": frozenset({Verb.PACKAGE_PUBLISH}),
    "delete_repo": frozenset({Verb.REPO_WRITE}),
    "admin:org": frozenset({Verb.GUARDRAIL_CHANGE}),
    "write:org": frozenset({Verb.GUARDRAIL_CHANGE}),
    "admin:enterprise": frozenset({Verb.GUARDRAIL_CHANGE}),
    "admin:repo_hook": frozenset({Verb.GUARDRAIL_CHANGE}),
    "write:repo_hook": frozenset({Verb.GUARDRAIL_CHANGE}),
    "admin:org_hook": frozenset({Verb.GUARDRAIL_CHANGE}),
    "admin:public_key": frozenset({Verb.GUARDRAIL_CHANGE, Verb.CREDENTIAL_ISSUE}),
    "write:public_key": frozenset({Verb.GUARDRAIL_CHANGE, Verb.CREDENTIAL_ISSUE}),
}
_HARMLESS = re.compile(r"^(?:metadata:read|read:\w+|user(?::\w+)?|gist|notifications|openid|email|profile|offline_access)$")


class Compared(msgspec.Struct, frozen=True):
    """`wider` names what was granted and not used, `open` the entries that cannot be compared, `judged` how many could."""

    wider: tuple[str, ...]
    open: tuple[str, ...]
    judged: int


def compare(granted: Iterable[str], exercised: Iterable[Verb]) -> Compared:
    """Hold granted scope entries against the verbs a task exercised. Reading more than was read is not called wider."""
    verbs = set(exercised)
    wider: list[str] = []
    unknown: list[str] = []
    judged = 0
    for entry in sorted(set(granted)):
        word = entry.strip()
        if _HARMLESS.match(word):
            judged += 1
        elif _ALL.match(word):
            judged += 1
            wider.append(f"{word} grants everything")
        elif word in _OAUTH:
            judged += 1
            if not _OAUTH[word] & verbs:
                wider.append(word)
        elif (found := _PERMISSION.match(word.replace("pull-requests", "pull_requests"))) and found[1] in _EXERCISED:
            judged += 1
            reads, writes = _EXERCISED[found[1]]
            if found[2] != "read" and not writes & verbs:
                wider.append(f"{word}, used for reading only" if reads & verbs else word)
        else:
            unknown.append(word)
    return Compared(tuple(wider), tuple(unknown), judged)
