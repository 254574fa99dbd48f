"""What requests to package registries do, whatever the ecosystem and the proxy's own path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.shared.registry_calls import registry_call
from model.event import Target
from model.words import TargetClass, Verb


@pytest.mark.parametrize(
    ("path", "name", "version"),
    [
        ("/repository/npm-proxy/left-pad/-/left-pad-1.3.0.tgz", "left-pad", "1.3.0"),
        ("api/npm/npm-remote/@acme/pay/-/pay-2.0.1-beta.1.tgz", "@acme/pay", "2.0.1-beta.1"),
        ("/@acme%2fpay/-/pay-2.0.1.tgz?cache=1", "@acme/pay", "2.0.1"),
        ("https://registry.example/left-pad/-/left-pad-1.3.0.tgz", "left-pad", "1.3.0"),
        ("/root/pypi/+f/ab/cd/Foo_Bar-2.31.0-py3-none-any.whl", "foo-bar", "2.31.0"),
        ("/packages/source/f/foo/foo_bar-1.0.0.tar.gz", "foo-bar", "1.0.0"),
        ("/goproxy/github.com/acme/lib/@v/v1.2.3.zip", "github.com/acme/lib", "v1.2.3"),
        ("/api/v1/crates/serde/1.0.1/download", "serde", "1.0.1"),
        ("/gems/rails-7.0.1.gem", "rails", "7.0.1"),
        ("/v3-flatcontainer/newtonsoft.json/13.0.1/newtonsoft.json.13.0.1.nupkg", "newtonsoft.json", "13.0.1"),
        (
            "/maven-proxy/org/apache/commons/commons-lang3/3.12.0/commons-lang3-3.12.0.jar",
            "org.apache.commons:commons-lang3",
            "3.12.0",
        ),
        ("/v2/library/node/manifests/20", "library/node", "20"),
    ],
)
def test_an_archive_that_is_fetched_is_an_installation_and_one_that_is_put_a_publication(
    path: str, name: str, version: str
) -> None:
    target = Target(TargetClass.PACKAGE_REGISTRY, name, version)
    assert registry_call("GET", path) == (Verb.PACKAGE_INSTALL, target)
    assert registry_call("put", path) == (Verb.PACKAGE_PUBLISH, target)
    assert registry_call("HEAD", path) == (Verb.HTTP_REQUEST, target)


@pytest.mark.parametrize(
    ("method", "path", "verb", "name"),
    [
        ("GET", "/@types%2fnode", Verb.HTTP_REQUEST, "npm"),
        ("GET", "/simple/requests/", Verb.HTTP_REQUEST, "npm"),
        ("PUT", "/@acme%2fpay", Verb.PACKAGE_PUBLISH, "@acme/pay"),
        ("DELETE", "/left-pad/-rev/3-ab", Verb.PACKAGE_PUBLISH, "left-pad"),
        ("POST", "/legacy/", Verb.PACKAGE_PUBLISH, "npm"),
        ("POST", "/-/npm/v1/security/advisories/bulk", Verb.HTTP_REQUEST, "npm"),
        ("PUT", "/-/user/org.couchdb.user:dana", Verb.CREDENTIAL_ISSUE, "npm"),
        ("GET", "/-/npm/v1/tokens", Verb.HTTP_REQUEST, "npm"),
        ("DELETE", "/-/npm/v1/tokens/token/ab12", Verb.CREDENTIAL_REVOKE, "npm"),
    ],
)
def test_indexes_audits_and_accounts_are_no_installation(method: str, path: str, verb: Verb, name: str) -> None:
    found, target = registry_call(method, path, "npm")
    assert (found, target.name, target.cls) == (verb, name, TargetClass.PACKAGE_REGISTRY)


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("POST", "/artifactory/api/security/token", Verb.CREDENTIAL_ISSUE),
        ("POST", "/api/security/token/revoke", Verb.CREDENTIAL_REVOKE),
        ("DELETE", "/access/api/v1/tokens/ab12", Verb.CREDENTIAL_REVOKE),
        ("POST", "/-/verdaccio/sec/login", Verb.CREDENTIAL_ISSUE),
        ("POST", "/service/rapture/session", Verb.CREDENTIAL_ISSUE),
        ("POST", "/+login", Verb.CREDENTIAL_ISSUE),
        ("PUT", "/api/security/permissions/readers", Verb.GUARDRAIL_CHANGE),
        ("POST", "/service/rest/v1/security/users", Verb.GUARDRAIL_CHANGE),
        ("POST", "/api/search/aql", Verb.HTTP_REQUEST),
        ("PUT", "/api/repositories/npm-local", Verb.HTTP_REQUEST),
        ("POST", "/service/extdirect", Verb.HTTP_REQUEST),
        ("DELETE", "/service/rest/v1/repositories/npm", Verb.HTTP_REQUEST),
        ("POST", "/service/rest/v1/components?repository=npm", Verb.PACKAGE_PUBLISH),
        ("PUT", "/api/docker/docker-local/v2/app/manifests/1.0", Verb.PACKAGE_PUBLISH),
        ("POST", "/api/pypi/pypi-local", Verb.PACKAGE_PUBLISH),
        ("PUT", "/libs/org/acme/api/system/1.0/system-1.0.jar", Verb.PACKAGE_PUBLISH),
    ],
)
def test_a_registrys_own_administration_publishes_nothing(method: str, path: str, verb: Verb) -> None:
    assert registry_call(method, path, "r")[0] is verb


@pytest.mark.parametrize(
    ("method", "path", "name", "detail"),
    [
        ("PUT", "/-/package/@acme%2fpay/dist-tags/latest", "@acme/pay", ""),
        ("PATCH", "/v2/acme/app/blobs/uploads/0a1b-2c3d", "acme/app", ""),
        ("PUT", "/v2/acme/app/blobs/uploads/0a1b-2c3d?digest=sha256:ab", "acme/app", ""),
        ("POST", "/v2/acme/app/blobs/uploads/", "acme/app", ""),
        ("PUT", "/api/v1/crates/new", "registry", "api/v1/crates/new"),
        ("DELETE", "/api/v1/crates/serde/1.0.1/yank", "serde", "1.0.1"),
        ("PUT", "/api/v2/package", "registry", "api/v2/package"),
        ("DELETE", "/api/v2/package/Acme.Pay/1.2.3", "Acme.Pay", "1.2.3"),
        ("PUT", "/repository/releases/com/acme/pay/1.2/pay-1.2.jar.sha1", "com.acme:pay", "1.2"),
        ("PUT", "/repository/releases/com/acme/pay/maven-metadata.xml", "com.acme:pay", ""),
        ("PUT", "/snapshots/com/acme/pay/1.2-SNAPSHOT/maven-metadata.xml.md5", "com.acme:pay", "1.2-SNAPSHOT"),
    ],
)
def test_a_change_beside_the_archive_is_the_package_s(method: str, path: str, name: str, detail: str) -> None:
    assert registry_call(method, path, "registry") == (
        Verb.PACKAGE_PUBLISH,
        Target(TargetClass.PACKAGE_REGISTRY, name, detail),
    )


@given(st.text(max_size=8), st.text(max_size=200))
def test_any_request_has_an_answer(method: str, path: str) -> None:
    verb, target = registry_call(method, path, "npm")
    assert verb in (
        Verb.HTTP_REQUEST, Verb.PACKAGE_INSTALL, Verb.PACKAGE_PUBLISH, Verb.CREDENTIAL_ISSUE, Verb.CREDENTIAL_REVOKE
    )  # fmt: skip
    assert target.cls is TargetClass.PACKAGE_REGISTRY
