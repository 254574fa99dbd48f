"""What an HTTP request does in Remit's words: known APIs by method, host and path; anything else is a plain request."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from importers.shared.registry_calls import registry_call
from importers.shared.vault_paths import vault_target, vault_verb
from lang.late import late
from lang.names import host_name, repository_name
from model.event import Target
from model.words import TargetClass, Verb

Found = tuple[Verb, Target]

_GIT = late(r"^/(.+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$")
_GITHUB = late(r"^(?:/api/v3)?/repos/([^/]+)/([^/]+)(/.*)?$")
_GITHUB_BY_ID = late(r"^(?:/api/v3)?/repositories/[^/]+(/.*)?$")
_TEAMS_OWN = late(r"/teams/[^/]+/repos/([\w.-]+/[\w.-]+)$")
_GITLAB = late(r"^/api/v4/projects/([^/]+)(/.*)?$")
_GITLAB_READ_SECRET = late(r"^/variables(?:/|$)")
_GITLAB_PACKAGES = late(r"^/packages/(generic|npm|pypi|maven|nuget|composer|helm|conan|rubygems|terraform)(/.*)?$")
_GITLAB_GENERIC = late(r"^/([^/]+)/([^/]+)/.+$")
_GITLAB_TOKENS = late(
    r"^/api/v4/(?:users/[^/]+/(?:impersonation_tokens|personal_access_tokens)|(?:user/)?personal_access_tokens"
    r"|groups/[^/]+/(?:access_tokens|deploy_tokens)|user/keys)(?:/|$)"
)
_GITLAB_GROUP = late(r"^/api/v4/groups/[^/]+/(?:members|invitations|share|saml_group_links)(?:/|$)")
_JIRA = late(r"^(?:/[\w-]+)?/rest/api/(?:2|3|latest)/issue(?:/([A-Z][A-Z0-9_]+-\d+))?(/.*)?$")
_KUBE = late(r"^/(?:api/v1|apis/[^/]+/[^/]+)/(?:namespaces/([^/]+)/)?([a-z]+)(?:/([^/]+))?")
_REGISTRIES = frozenset(
    {"registry.npmjs.org", "registry.yarnpkg.com", "pypi.org", "files.pythonhosted.org", "upload.pypi.org", "test.pypi.org"}
    | {"rubygems.org", "index.crates.io", "crates.io", "static.crates.io", "proxy.golang.org", "repo.maven.apache.org"}
    | {"repo1.maven.org", "api.nuget.org", "npm.pkg.github.com", "ghcr.io", "registry-1.docker.io"}
)
_DOCUMENTED = frozenset({"registry.npmjs.org", "registry.yarnpkg.com", "npm.pkg.github.com", "pypi.org", "test.pypi.org"})
_PACKAGE = late(r"^/(?!(?:simple|pypi|search|help)/?$)(?:simple/|pypi/)?((?:@[\w.~-]+/)?[A-Za-z0-9_][\w.~-]*)(?:/json)?/?$")
_READS = frozenset({"GET", "HEAD", "OPTIONS", ""})
_METHODS = {
    "GET": "read",
    "HEAD": "read",
    "LIST": "list",
    "POST": "update",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}

# Routes below a repository of GitHub, first match wins: pattern, methods ("" is every writing one), verb.
_GITHUB_WRITES: tuple[tuple[re.Pattern[str], str, Verb], ...] = tuple(
    (late(pattern), methods, verb)
    for pattern, methods, verb in (
        (r"^/pulls$", "POST", Verb.PR_OPEN),
        (r"^/pulls/[^/]+/merge$", "PUT", Verb.PR_MERGE),
        (r"^/pulls(/|$)", "", Verb.UNKNOWN),
        (r"^/merges$|^/merge-upstream$", "POST", Verb.REPO_MERGE),
        (r"^/(branches/.+/protection|rulesets|rules|tags/protection)", "", Verb.GUARDRAIL_CHANGE),
        (r"^/(secret-scanning|code-scanning|vulnerability-alerts|automated-security-fixes)", "", Verb.GUARDRAIL_CHANGE),
        (r"^/actions/permissions", "", Verb.GUARDRAIL_CHANGE),
        (r"^/(collaborators|invitations)(/|$)", "", Verb.GUARDRAIL_CHANGE),
        (r"^/(environments/[^/]+/secrets|actions/secrets|dependabot/secrets|codespaces/secrets)", "", Verb.SECRET_WRITE),
        (r"^/actions/runners/(registration|remove)-token$", "POST", Verb.CREDENTIAL_ISSUE),
        (r"^/(actions/(workflows/[^/]+/dispatches|runs/|jobs/)|dispatches$|deployments|check-(runs|suites))", "", Verb.CI_RUN),
        (r"^/(actions/|environments|pages)", "", Verb.CI_MODIFY),
        (r"^/contents/\.github/(workflows|actions)/", "", Verb.CI_MODIFY),
        (r"^/issues$", "POST", Verb.TICKET_OPEN),
        (r"^/(issues|labels|milestones)", "", Verb.TICKET_UPDATE),
        (r"^/keys$", "POST", Verb.CREDENTIAL_ISSUE),
        (r"^/keys/", "DELETE", Verb.CREDENTIAL_REVOKE),
    )
)
_GITLAB_WRITES: tuple[tuple[re.Pattern[str], str, Verb], ...] = tuple(
    (late(pattern), methods, verb)
    for pattern, methods, verb in (
        (r"^/merge_requests$", "POST", Verb.PR_OPEN),
        (r"^/merge_requests/[^/]+/merge$", "PUT", Verb.PR_MERGE),
        (r"^/merge_requests(/|$)", "", Verb.UNKNOWN),
        (r"^/(protected_(branches|tags|environments)|approval|push_rule)", "", Verb.GUARDRAIL_CHANGE),
        (r"^/(members|invitations|share|job_token_scope)(/|$)", "", Verb.GUARDRAIL_CHANGE),
        (r"^/variables", "", Verb.SECRET_WRITE),
        (r"^/(access_tokens|deploy_tokens|deploy_keys)$", "POST", Verb.CREDENTIAL_ISSUE),
        (r"^/(access_tokens|deploy_tokens|deploy_keys)/", "DELETE", Verb.CREDENTIAL_REVOKE),
        (r"^/(pipeline|pipelines|jobs|trigger/pipeline|deployments)(/|$)", "", Verb.CI_RUN),
        (r"^/(runners|environments|triggers|pipeline_schedules)", "", Verb.CI_MODIFY),
        (r"^/issues$", "POST", Verb.TICKET_OPEN),
        (r"^/issues", "", Verb.TICKET_UPDATE),
        (r"^/repository/files/(\.gitlab-ci\.yml|%2Egitlab-ci)", "", Verb.CI_MODIFY),
    )
)
_GITHUB_ELSEWHERE = (
    (late(r"^(?:/api/v3)?/(app/installations/[^/]+/access_tokens|user/keys|user/gpg_keys|orgs/[^/]+/personal-access)"),
     Verb.CREDENTIAL_ISSUE),
    (late(r"^(?:/api/v3)?/applications/[^/]+/(token|grant)"), Verb.CREDENTIAL_REVOKE),
    (late(r"^(?:/api/v3)?/orgs/[^/]+/(actions|dependabot|codespaces)/secrets"), Verb.SECRET_WRITE),
    (late(r"^(?:/api/v3)?/orgs/[^/]+/(rulesets|actions/permissions|security|outside_collaborators|organization-roles)"),
     Verb.GUARDRAIL_CHANGE),
    (late(r"^(?:/api/v3)?/(orgs/[^/]+/)?teams/[^/]+/repos/"), Verb.GUARDRAIL_CHANGE),
    (late(r"^(?:/api/v3)?/user/installations/[^/]+/repositories/"), Verb.GUARDRAIL_CHANGE),
    (late(r"^(?:/api/v3)?/(orgs/[^/]+|user)/repos$"), Verb.REPO_WRITE),
)  # fmt: skip


@lru_cache(maxsize=8192)
def classify(method: str, host: str, path: str, vault: bool = False) -> Found:
    """Verb and target of one request; `path` may carry a query, `vault` says that a header named Vault.

    A template such as `/repos/{owner}/{repo}/pulls` is classified as well; its repository stays unnamed.
    """
    method = method.upper()
    bare, _, query = path.partition("?")
    name = host_name(host)
    if m := _GIT.match(bare):
        writes = m.group(2) == "git-receive-pack" or "git-receive-pack" in query
        return Verb.REPO_WRITE if writes else Verb.REPO_READ, _repository(m.group(1))
    if m := _GITHUB.match(bare):
        return github_route(method, bare)
    if "github" in name and (found := _elsewhere(method, bare)) is not None:
        return found, _placed("", bare)
    if m := _GITLAB.match(bare):
        return _gitlab_project(method, name, unquote(m.group(1)), m.group(2) or "")
    if method not in _READS and _GITLAB_TOKENS.match(bare):
        verb = Verb.CREDENTIAL_REVOKE if method == "DELETE" else Verb.CREDENTIAL_ISSUE
        return verb, Target(TargetClass.NETWORK, name or host, bare)
    if method not in _READS and _GITLAB_GROUP.match(bare):
        return Verb.GUARDRAIL_CHANGE, Target(TargetClass.NETWORK, name or host, bare)
    if (vault or "vault" in name or "openbao" in name) and bare.startswith("/v1/"):
        operation = "list" if "list=true" in query else _METHODS.get(method, "read")
        return vault_verb(operation, bare[4:]), vault_target(operation, bare[4:])
    if m := _JIRA.match(bare):
        verb = Verb.HTTP_REQUEST if method in _READS else Verb.TICKET_UPDATE if m.group(1) else Verb.TICKET_OPEN
        return verb, Target(TargetClass.TICKETING if verb is not Verb.HTTP_REQUEST else TargetClass.NETWORK, m.group(1) or name)
    if ".amazonaws.com" in name:
        action = re.search(r"(?:^|&)Action=(\w+)", query)
        service = name.split(".amazonaws.com")[0].split(".")[0]
        return Verb.CLOUD_CALL, Target(TargetClass.CLOUD, f"{service}:{action.group(1)}" if action else service, bare)
    if name in _REGISTRIES or "artifactory" in name or "nexus" in name:
        made = registry_call(method, bare, name)
        # Who asks for a package's document is about to install it, and a gate decides on that.
        if made[0] is Verb.HTTP_REQUEST and method in _READS and name in _DOCUMENTED and (asked := _PACKAGE.match(unquote(bare))):
            return Verb.PACKAGE_INSTALL, Target(TargetClass.PACKAGE_REGISTRY, asked.group(1), name)
        return made
    if ("kube" in name or "k8s" in name or host.endswith(":6443")) and (m := _KUBE.match(bare)):
        return Verb.CLUSTER_CALL, Target(TargetClass.CLUSTER, name, "/".join(part for part in m.groups() if part))
    return Verb.HTTP_REQUEST, Target(TargetClass.NETWORK, name or host, bare)


def _gitlab_project(method: str, host: str, project: str, rest: str) -> Found:
    """A request below one of GitLab's projects: its registry speaks the package managers' protocols, its variables tell their values."""
    if m := _GITLAB_PACKAGES.match(rest):
        kind, path = m.group(1), m.group(2) or ""
        generic = _GITLAB_GENERIC.match(path) if kind == "generic" else None
        if generic is None:
            return registry_call(method, path or "/", host)
        verb = Verb.PACKAGE_INSTALL if method in _READS else Verb.PACKAGE_PUBLISH
        return verb, Target(TargetClass.PACKAGE_REGISTRY, unquote(generic.group(1)), unquote(generic.group(2)))
    if method in _READS and _GITLAB_READ_SECRET.match(rest):
        return Verb.SECRET_READ, _repository(project, rest)
    return _routed(_GITLAB_WRITES, method, rest), _repository(project, rest)


@lru_cache(maxsize=8192)
def github_route(method: str, route: str, repository: str = "") -> Found:
    """Verb and target of a GitHub REST call by its path or route template; the repository may be known from elsewhere."""
    method = method.upper()
    if by_id := _GITHUB_BY_ID.match(route):
        rest = by_id.group(1) or ""
        return _routed(_GITHUB_WRITES, method, rest), _repository(repository, rest)
    m = _GITHUB.match(route)
    if m is None:
        found = _elsewhere(method, route) or Verb.HTTP_REQUEST
        if found is Verb.HTTP_REQUEST:
            return found, Target(TargetClass.NETWORK, "api.github.com", route)
        return found, _placed(repository, route)
    owner, name, rest = m.group(1), m.group(2), m.group(3) or ""
    template = "{" in owner or ":" in owner
    stated = repository if template or repository else f"{owner}/{name}"
    return _routed(_GITHUB_WRITES, method, rest), _repository(stated, rest)


def _routed(table: tuple[tuple[re.Pattern[str], str, Verb], ...], method: str, rest: str) -> Verb:
    if method in _READS:
        return Verb.REPO_READ
    for pattern, only, verb in table:
        if (not only or only == method) and pattern.match(rest):
            return verb
    return Verb.REPO_WRITE


def _elsewhere(method: str, path: str) -> Verb | None:
    if method in _READS:
        return None
    return next((verb for pattern, verb in _GITHUB_ELSEWHERE if pattern.match(path)), None)


def _placed(repository: str, path: str) -> Target:
    """Where a call outside a repository's own routes took place: that of the repository whose rights a team is given, if it names one."""
    named = _TEAMS_OWN.search(path)
    return Target(TargetClass.REPOSITORY, repository or (repository_name(named.group(1)) if named else ""), path)


def _repository(address: str, detail: str = "") -> Target:
    name = repository_name(address.removesuffix(".git"))
    return Target(TargetClass.REPOSITORY, name or (address if address.isdecimal() else ""), detail.strip("/"))
