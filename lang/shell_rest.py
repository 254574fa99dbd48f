"""Requests to Git hosts' REST interfaces, sent by `gh api`, `glab api` or any program for requests: what they do to whose repository."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from lang.late import late
from lang.names import repository_name
from lang.shell_calls import Call, wordset
from lang.shell_ops import Args, made
from model.event import Operation
from model.words import TargetClass, Verb

_REPO, _CI, _TICKET = TargetClass.REPOSITORY, TargetClass.CI_CD, TargetClass.TICKETING

_RIGHTS = late(
    r"^(?:repos/([^/]+/[^/]+)/(?:collaborators|invitations)|(?:orgs/[^/]+/)?teams/[^/]+/repos/([^/]+/[^/]+)"
    r"|orgs/[^/]+/(?:outside_collaborators|organization-roles)|user/installations/[^/]+/repositories"
    r"|projects/([^/]+)/(?:members|invitations|share|job_token_scope)"
    r"|groups/[^/]+/(?:members|invitations|share|saml_group_links))(?:/|$)"
)
"""Paths of the REST interfaces that say who may do what, with the repository they name; reading them changes nothing."""
_GUARDS = wordset(
    "rulesets hooks protected_branches protected_tags protected_environments push_rule approval_rules branch-restrictions"
)
_ADDRESS = late(
    r"^(?:\$\{?CI_API_V4_URL\}?/|https?://(?:[^/?#@]*@)?(?:api\.github\.com/|[^/?#]+/api/v3/|[^/?#]+/api/v4/|api\.bitbucket\.org/2\.0/|[^/?#]+/rest/api/(?:1\.0|latest)/))"
    r"([^?#]{1,2000})",
)
_READS = frozenset({"GET", "HEAD"})
_ALIKE = {
    "merge_requests": "pulls", "pullrequests": "pulls", "pull-requests": "pulls", "variables": "secrets", "pipelines": "dispatches",
    "pipeline": "dispatches", "trigger": "dispatches", "deploy_keys": "keys", "access-keys": "keys",
}  # fmt: skip
"""What GitLab and Bitbucket call by another name than GitHub."""


def over_command(call: Call, args: Args, name: str) -> Iterator[Operation]:
    """`gh api path`: the verb by the method and the path of the REST interface."""
    words = args.words()
    path = words[1].lstrip("/") if len(words) > 1 else ""
    sends = args.has("-f", "-F", "--raw-field", "--field", "--input")
    method = (args.value("-X", "--method") or ("POST" if sends else "GET")).upper()
    verb, cls, named = _meant(method, path)
    flags = [f"method={method}"] + (["destructive"] if method == "DELETE" else [])
    if path == "graphql":
        verb, flags = (Verb.UNKNOWN, ["graphql"]) if sends else (Verb.REPO_READ, flags)
    yield made(call, verb, cls, name or named, path, flags, bool(path) and verb is not Verb.UNKNOWN)


def over_address(call: Call, address: str, method: str) -> Iterator[Operation]:
    """What a plain request changes at a Git host; nothing where it reads, or where its path says no more than that something is written."""
    found = _ADDRESS.match(address)
    if found is None or method in _READS:
        return
    path = found.group(1).strip("/")
    verb, cls, name = _meant(method, path)
    if verb is not Verb.REPO_WRITE:
        yield made(call, verb, cls, name, path, [f"method={method}"] + (["destructive"] if method == "DELETE" else []))


def _meant(method: str, path: str) -> tuple[Verb, TargetClass, str]:
    """Verb, class and repository of a request; a repository by its number, or one that a variable names, stays unnamed."""
    parts = path.partition("?")[0].strip("/").split("/")
    name, rest = _placed(parts)
    verb, cls = _verb(method, [_ALIKE.get(part, part) for part in rest[:1]] + rest[1:])
    if method not in _READS and (given := _RIGHTS.match("/".join(parts))):
        verb, cls = Verb.GUARDRAIL_CHANGE, _REPO
        name = name or _named(next((found for found in given.groups() if found), ""))
    return verb, cls, name


def _placed(parts: list[str]) -> tuple[str, list[str]]:
    """The repository a path lies below, and what comes after it."""
    if parts[0] in ("repos", "repositories") and len(parts) >= 3:
        return _named("/".join(parts[1:3])), parts[3:]
    if parts[0] == "projects" and parts[2:3] == ["repos"] and len(parts) >= 4:
        return _named(f"{parts[1]}/{parts[3]}"), parts[4:]
    if parts[0] == "projects" and len(parts) >= 2:
        return _named(parts[1]), parts[2:]
    return "", parts[1:] if parts[0] == "repos" else parts


def _named(stated: str) -> str:
    named = unquote(stated)
    return "" if any(mark in named for mark in "{:$") else repository_name(named)


def _verb(method: str, rest: list[str]) -> tuple[Verb, TargetClass]:
    if method in _READS:
        return Verb.REPO_READ, _REPO
    area, last = (rest[0] if rest else ""), (rest[-1] if rest else "")
    if "protection" in rest or "enforce_admins" in rest or _GUARDS.intersection(rest[:3]):
        return Verb.GUARDRAIL_CHANGE, _REPO
    if area == "pulls":
        return (
            (Verb.PR_MERGE, _REPO) if last == "merge" else (Verb.PR_OPEN, _REPO) if len(rest) == 1 else (Verb.REPO_WRITE, _REPO)
        )
    if "secrets" in rest:
        return Verb.SECRET_WRITE, TargetClass.SECRET_STORE
    if area == "dispatches" or last in ("dispatches", "rerun", "rerun-failed-jobs", "cancel"):
        return Verb.CI_RUN, _CI
    if area == "issues":
        return (Verb.TICKET_OPEN if len(rest) == 1 else Verb.TICKET_UPDATE), _TICKET
    if area == "merges":
        return Verb.REPO_MERGE, _REPO
    if area == "actions":
        return Verb.CI_MODIFY, _CI
    if area == "keys" or last in ("access_tokens", "tokens"):
        return Verb.CREDENTIAL_ISSUE, _REPO
    return Verb.REPO_WRITE, _REPO
