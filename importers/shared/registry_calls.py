"""What a request to a package registry does: which package and version is fetched or published, or whose token is made.

Registries speak their ecosystem's protocol below a path of their own (`/repository/npm-proxy/`, `/artifactory/api/npm/`),
so a package is known by the end of the path. Reading an index is a plain request: only a downloaded archive installs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from lang.late import late
from model.event import Target
from model.words import TargetClass, Verb

_READS = frozenset({"GET", "HEAD"})
_WRITES = frozenset({"PUT", "POST"})
_REGISTRY = TargetClass.PACKAGE_REGISTRY
_SCOPED = r"(?:@[\w.~-]+/)?[\w.~-]+"
_ARCHIVES: tuple[re.Pattern[str], ...] = tuple(
    late(pattern)
    for pattern in (
        # npm: <name>/-/<name>-<version>.tgz; some proxies leave the dash out
        rf"(?:^|/)(?P<name>{_SCOPED})/-/(?:@[\w.~-]+/)?[\w.~-]+?-(?P<version>\d+\.\d+\.\d+[\w.+-]*)\.tgz$",
        # PyPI wheels, then source archives
        r"(?:^|/)(?P<name>[A-Za-z0-9][\w.]*)-(?P<version>\d[\w.!+]*)(?:-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl$",
        r"(?:^|/)(?P<name>[A-Za-z0-9][\w.-]*?)-(?P<version>\d[\w.!+]*)\.(?:tar\.(?:gz|bz2|xz)|zip)$",
        # Go: <module>/@v/<version>.zip
        r"^/?(?:.*?/)?(?P<name>[\w-]+(?:\.[\w-]+)+(?:/[\w.~!-]+)*)/@v/(?P<version>v[\w.+-]+)\.zip$",
        # crates, gems
        r"/crates/(?P<name>[\w-]+)/(?P<version>\d[\w.+-]*)/download$",
        r"(?:^|/)(?P<name>[\w-]+)-(?P<version>\d[\w.+-]*)\.crate$",
        r"/gems/(?P<name>[\w.-]+?)-(?P<version>\d[\w.]*)(?:-[\w-]+)?\.gem$",
        # NuGet: <id>/<version>/<id>.<version>.nupkg
        r"(?:^|/)(?P<name>[\w.-]+)/(?P<version>\d[\w.+-]*)/[\w.+-]+\.nupkg$",
        # container images: manifests name the tag or digest
        r"/v2/(?P<name>[\w./-]+)/manifests/(?P<version>[\w.:+-]+)$",
    )
)
_PYPI = _ARCHIVES[1:3]
_LOOSE = late(r"[-_.]+")
"""PyPI takes these for one another in a project's name, and archives are named with either."""

# Maven: <group as path>/<artifact>/<version>/<artifact>-<version>.<ext>, below a repository of its own
_MAVEN = late(r"(?:^|/)(?P<path>[\w./-]+)/(?P<artifact>[\w.-]+)/(?P<version>[\w.-]+)/(?P=artifact)-[\w.-]+\.(?:jar|war|aar|pom)$")
_GROUP = late(r"(?:^|/)((?:com|org|net|io|dev|edu|gov|co|de|fr|uk|eu|me|app|ch|nl|jakarta|javax)(?:/[\w-]+)+)$")
_NPM_DOCUMENT = late(rf"(?:^|/)(?P<name>{_SCOPED})(?:/-rev/[^/]+)?$")
_NAMED: tuple[re.Pattern[str], ...] = tuple(
    late(pattern)
    for pattern in (
        rf"/-/package/(?P<name>{_SCOPED})/(?:dist-tags/[^/]+|access|collaborators)$",
        r"/v2/(?P<name>[\w./-]+)/blobs/(?:uploads(?:/[^/]*)?|[\w.+]+:[0-9a-f]+)$",
        r"/crates/(?P<name>[\w-]+)/(?P<version>\d[\w.+-]*)/(?:un)?yank$",
        r"/api/v2/package/(?P<name>[\w.-]+)/(?P<version>\d[\w.+-]*)$",
        r"/(?P<name>)(?:crates/new|gems(?:/yank)?|api/v2/package|legacy)/?$",
    )
)
"""Changes that name the package elsewhere than at the path's end, or in the body alone."""
_SIDE = late(r"\.(?:sha1|sha256|sha512|md5|asc)$")
_MAVEN_INDEX = late(
    r"(?:^|/)(?P<path>[\w./-]+)/(?P<artifact>(?![\w.-]+-SNAPSHOT/maven)[\w.-]+)(?:/(?P<version>[\w.-]+-SNAPSHOT))?/maven-metadata\.xml$"
)
_LOGIN = late(
    r"(?:^|/)(?:api/security/(?:token|apikey)|access/api/v\d+/tokens|-/verdaccio/(?:sec/)?login|\+login"
    r"|service/(?:rapture/session|rest/wonderland/authenticate))(?:/|$)",
    re.I,
)
"""Where registries hand out tokens and sessions: Artifactory, Verdaccio, devpi, Nexus."""
_RIGHTS = late(r"(?:^|/)(?:api/(?:v2/)?security|access/api|service/rest/(?:v1|beta)/security)/", re.I)
_CONTROL = late(
    r"(?:^|/)(?:api/(?:v\d/)?(?:search|system|repositories|build|plugins|replications?|support|tasks|import|export|archive)(?:/|$)"
    r"|service/(?:extdirect|rapture/|outreach/|metrics/|siesta/|rest/)|-/verdaccio/|ui/api/)"
)
_COMPONENTS = late(r"(?:^|/)service/rest/(?:v1|beta)/(?:components|assets)(?:/|$)")
"""Of what Nexus' own API changes, these are packages."""
_ACCOUNT = late(r"/-/(?:user/|npm/v1/tokens|v1/login)")


@lru_cache(maxsize=8192)
def registry_call(method: str, path: str, registry: str = "") -> tuple[Verb, Target]:
    """Verb and target of one request; `registry` names the registry for requests that name no package.

    The target's name is the package as its manager knows it, `detail` the version. A path may carry a query or be a URL.
    """
    method = method.upper()
    bare = unquote(path.partition("?")[0])
    if "://" in bare:
        bare = "/" + bare.partition("://")[2].partition("/")[2]
    if len(bare) > 2000:
        return Verb.HTTP_REQUEST, Target(_REGISTRY, registry)
    if _ACCOUNT.search(bare) and method not in _READS:
        verb = Verb.CREDENTIAL_REVOKE if method == "DELETE" else Verb.CREDENTIAL_ISSUE
        return verb, Target(_REGISTRY, registry, bare.strip("/"))
    if (found := _archive(bare)) is not None:
        name, version = found
        if method in _WRITES or method == "DELETE":
            return Verb.PACKAGE_PUBLISH, Target(_REGISTRY, name, version)
        if method == "GET":
            return Verb.PACKAGE_INSTALL, Target(_REGISTRY, name, version)
        return Verb.HTTP_REQUEST, Target(_REGISTRY, name, version)
    if method in _READS or method not in (*_WRITES, "DELETE", "PATCH") or "/-/npm/v1/security/" in bare:
        return Verb.HTTP_REQUEST, Target(_REGISTRY, registry, bare.strip("/"))
    if (done := _administration(method, bare)) is not None:
        return done, Target(_REGISTRY, registry, bare.strip("/"))
    if (found := _changed(bare)) is not None:
        name, version = found
    else:
        document = _NPM_DOCUMENT.search(bare) if method in ("PUT", "DELETE") else None
        name, version = (document["name"], "") if document else ("", "")
    return Verb.PACKAGE_PUBLISH, Target(_REGISTRY, name or registry, version if name else bare.strip("/"))


def _administration(method: str, path: str) -> Verb | None:
    """What a change by a registry's own API is: a sign-in, a change of who may do what, or a plain request; None where it is a package's."""
    if _LOGIN.search(path):
        return Verb.CREDENTIAL_REVOKE if method == "DELETE" or path.rstrip("/").endswith("/revoke") else Verb.CREDENTIAL_ISSUE
    if _RIGHTS.search(path):
        return Verb.GUARDRAIL_CHANGE
    return Verb.HTTP_REQUEST if _CONTROL.search(path) and not _COMPONENTS.search(path) else None


def _changed(path: str) -> tuple[str, str] | None:
    """Package and version of a change to what lies beside an archive; an empty name where only the body tells it."""
    for pattern in _NAMED:
        if m := pattern.search(path):
            return m["name"], m.groupdict().get("version") or ""
    beside = _SIDE.sub("", path)
    if beside.endswith("/maven-metadata.xml") and (m := _MAVEN_INDEX.search(beside)):
        return _maven(m), m["version"] or ""
    return _archive(beside) if beside != path else None


def _archive(path: str) -> tuple[str, str] | None:
    for pattern in _ARCHIVES:
        if m := pattern.search(path):
            name = m["name"]
            return (_LOOSE.sub("-", name).lower() if pattern in _PYPI else name), m["version"]
    if m := _MAVEN.search(path):
        return _maven(m), m["version"]
    return None


def _maven(found: re.Match[str]) -> str:
    group = _GROUP.search("/" + found["path"])
    return (f"{group[1].replace('/', '.')}:" if group else "") + found["artifact"]
