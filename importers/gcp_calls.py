"""What a Google Cloud API call does in Remit's words: its verb and its target, told by service, method and resource."""

from __future__ import annotations

import re

from importers.shared.fields import Json, dig, first_text, mapping, text
from model.event import Target
from model.words import TargetClass, Verb

_SECRET = re.compile(r"(?:^|/)secrets/([^/]+)")
_PROJECT = re.compile(r"projects/([^/]+)")
# Who may do what is set on any resource of any service by a call of one of these names; Cloud Storage names it after the permission.
_POLICY_CALLS = frozenset({"setiampolicy", "setiampermissions"})
_IAM_RIGHTS = re.compile(r"^google\.iam\.(?:admin\.v1\.(?:Create|Update|Delete|Undelete)Role|v\d\w*\.(?:Policies|PolicyBindings|"
                         r"PrincipalAccessBoundaryPolicies)\.(?:Create|Update|Delete)\w+)$")  # fmt: skip
_CI = re.compile(r"^projects/[^/]+/(?:locations/[^/]+/)?(?:builds|triggers)/")

_CALLS: dict[tuple[str, str], Verb] = {
    (service, name): verb
    for verb, table in (
        (Verb.SECRET_READ, {"secretmanager": "AccessSecretVersion", "cloudkms": "Decrypt AsymmetricDecrypt RawDecrypt",
                            "parametermanager": "RenderParameterVersion", "apikeys": "GetKeyString"}),
        (Verb.SECRET_WRITE, {"secretmanager": "CreateSecret AddSecretVersion UpdateSecret DeleteSecret DestroySecretVersion "
                             "DisableSecretVersion EnableSecretVersion"}),
        (Verb.CREDENTIAL_ISSUE, {"iam": "CreateServiceAccountKey UploadServiceAccountKey",
                                 "iamcredentials": "GenerateAccessToken GenerateIdToken SignJwt SignBlob",
                                 "sts": "ExchangeToken", "apikeys": "CreateKey"}),
        (Verb.CREDENTIAL_REVOKE, {"iam": "DeleteServiceAccountKey DisableServiceAccountKey", "apikeys": "DeleteKey"}),
        (Verb.CREDENTIAL_RENEW, {"iam": "EnableServiceAccountKey"}),
        (Verb.GUARDRAIL_CHANGE, {
            "logging": "DeleteSink UpdateSink DeleteBucket UpdateBucket CreateExclusion UpdateExclusion DeleteLog UpdateCmekSettings",
            "orgpolicy": "UpdatePolicy DeletePolicy CreateCustomConstraint", "cloudresourcemanager": "SetOrgPolicy ClearOrgPolicy",
            "accesscontextmanager": "UpdateServicePerimeter DeleteServicePerimeter UpdateAccessLevel DeleteAccessLevel",
            "binaryauthorization": "UpdatePolicy DeleteAttestor", "securitycenter": "SetMute UpdateMuteConfig CreateMuteConfig",
            "modelarmor": "UpdateTemplate DeleteTemplate UpdateFloorSetting", "monitoring": "DeleteAlertPolicy UpdateAlertPolicy"}),
        (Verb.CI_RUN, {"cloudbuild": "CreateBuild RetryBuild RunBuildTrigger ApproveBuild", "clouddeploy": "CreateRelease CreateRollout"}),
        (Verb.CI_MODIFY, {"cloudbuild": "CreateBuildTrigger UpdateBuildTrigger DeleteBuildTrigger CreateWorkerPool UpdateWorkerPool"}),
        (Verb.DB_QUERY, {"bigquery": "InsertJob Query insert query", "spanner": "ExecuteSql ExecuteStreamingSql ExecuteBatchDml "
                         "StreamingRead Commit", "cloudsql": "executeSql query", "firestore": "RunQuery BatchGetDocuments Commit",
                         "bigtable": "ReadRows MutateRows"}),
    )
    for service, names in table.items()
    for name in names.split()
}  # fmt: skip
_FULL = {
    "storage.hmacKeys.create": Verb.CREDENTIAL_ISSUE,
    "storage.hmacKeys.delete": Verb.CREDENTIAL_REVOKE,
    "jobservice.insert": Verb.DB_QUERY,
}


def service_of(service: str, method: str) -> str:
    """`iam` of `iam.googleapis.com`; where no service is named, what the method's own prefix says."""
    if service:
        return service.removesuffix(".googleapis.com")
    parts = [part for part in method.split(".") if part not in ("google", "cloud", "api", "devtools")]
    return parts[1] if len(parts) > 2 and re.fullmatch(r"v\d\w*|beta|alpha", parts[0]) else parts[0] if len(parts) > 1 else "gcp"


def permission_of(payload: Json) -> str:
    """The first permission that was checked, where the method is not named."""
    asked = payload.get("authorizationInfo")
    return next((text(one.get("permission")) for one in asked if isinstance(one, dict)), "") if isinstance(asked, list) else ""


def classify(service: str, method: str, payload: Json) -> tuple[Verb, Target]:
    """Verb and target of one call; `cloud.call` on `<service>:<method>` where nothing more telling is known."""
    name = method.rpartition(".")[2]
    resource = text(payload.get("resourceName"))
    verb = _FULL.get(method) or _CALLS.get((service, name))
    verb = verb or _packages(service, method) or Verb.CLOUD_CALL
    if name.lower() in _POLICY_CALLS or (service == "iam" and _IAM_RIGHTS.search(method)):
        verb = Verb.GUARDRAIL_CHANGE
    if verb in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        m, project = _SECRET.search(resource), _PROJECT.search(resource)
        named = m.group(1) if m else first_text(mapping(payload.get("request")), "secretId", "secret_id")
        return verb, Target(TargetClass.SECRET_STORE, named or resource, resource if m else project.group(1) if project else "")
    if verb in (Verb.CI_RUN, Verb.CI_MODIFY):
        return verb, Target(TargetClass.CI_CD, _CI.sub("", resource) or service, resource)
    if verb is Verb.DB_QUERY:
        return verb, Target(TargetClass.DATABASE, resource or service, method)
    if verb in (Verb.PACKAGE_INSTALL, Verb.PACKAGE_PUBLISH):
        return verb, Target(TargetClass.PACKAGE_REGISTRY, resource or service, method)
    if service == "container":
        return Verb.CLUSTER_CALL, Target(TargetClass.CLUSTER, resource.rpartition("/clusters/")[2].partition("/")[0], method)
    return verb, Target(TargetClass.CLOUD, f"{service}:{name}", resource)


def statement_of(payload: Json) -> str:
    """What a database was asked, where the entry keeps it: Cloud SQL's statement, BigQuery's query in either of its forms."""
    asked = text(dig(payload, "request", "statement")) or text(dig(payload, "request", "sql"))
    for place in (("metadata", "jobInsertion", "job"), ("metadata", "jobChange", "job")):
        asked = asked or text(dig(payload, *place, "jobConfig", "queryConfig", "query"))
    return asked or text(dig(payload, "serviceData", "jobInsertRequest", "resource", "jobConfiguration", "query", "query"))


def _packages(service: str, method: str) -> Verb | None:
    if service != "artifactregistry":
        return None
    name = method.rpartition(".")[2].lower()
    if name.startswith(("docker-get", "docker-head", "python-get", "npm-get", "maven-get", "downloadfile")):
        return Verb.PACKAGE_INSTALL
    if name.startswith(("docker-put", "docker-post", "docker-patch", "python-post", "npm-put", "maven-put", "upload", "import")):
        return Verb.PACKAGE_PUBLISH
    return None
