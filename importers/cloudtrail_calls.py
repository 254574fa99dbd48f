"""What an AWS API call does in Remit's words: its verb and its target, told by service, name and parameters."""

from __future__ import annotations

import re
from functools import lru_cache

from importers.shared.fields import Json, commit_id, dig, first_text, key, keys, mapping, text, texts, truth
from model.event import Key, Target
from model.words import KeyRole, TargetClass, Verb

_VERSION = re.compile(r"\d{8}(?:v\d+)?$")
_SECRET_ARN = re.compile(r"^arn:[\w-]+:secretsmanager:[^:]*:[^:]*:secret:(.+?)(?:-[A-Za-z0-9]{6})?$")
_PARAMETER_ARN = re.compile(r"^arn:[\w-]+:ssm:[^:]*:[^:]*:parameter(/.+)$")

_SECRET_WRITES = "CreateSecret PutSecretValue UpdateSecret DeleteSecret RestoreSecret RotateSecret UpdateSecretVersionStage"
_ISSUES = {
    "sts": "AssumeRole AssumeRoleWithWebIdentity AssumeRoleWithSAML AssumeRoot GetSessionToken GetFederationToken "
    "GetWebIdentityToken",
    "iam": "CreateAccessKey CreateLoginProfile CreateServiceSpecificCredential UploadSSHPublicKey UploadSigningCertificate "
    "ResetServiceSpecificCredential",
    "sso": "CreateToken GetRoleCredentials",
    "sso-oauth": "CreateToken CreateTokenWithIAM",
    "ecr": "GetAuthorizationToken",
    "ecr-public": "GetAuthorizationToken",
    "codeartifact": "GetAuthorizationToken",
    "ec2": "CreateKeyPair ImportKeyPair GetPasswordData",
    "ec2-instance-connect": "SendSSHPublicKey SendSerialConsoleSSHPublicKey",
    "cognito-identity": "GetCredentialsForIdentity GetOpenIdToken",
    "redshift": "GetClusterCredentials GetClusterCredentialsWithIAM",
    "redshift-serverless": "GetCredentials",
    "rolesanywhere": "CreateSession",
    "signin": "GetSigninToken AssumeRole CreateOAuth2Token",
    "eks-auth": "AssumeRoleForPodIdentity",
    "iot": "AssumeRoleWithCertificate CreateKeysAndCertificate",
    "s3": "CreateSession GetDataAccess",
    "s3express": "CreateSession",
    "lakeformation": "AssumeDecoratedRoleWithSAML GetTemporaryGlueTableCredentials GetTemporaryGluePartitionCredentials "
    "GetTemporaryDataLocationCredentials",
    "elasticmapreduce": "GetClusterSessionCredentials",
    "bedrock-agentcore": "GetWorkloadAccessToken GetWorkloadAccessTokenForJWT GetWorkloadAccessTokenForUserId "
    "GetResourceOauth2Token GetResourceApiKey",
}
_SWITCHED = frozenset({"UpdateAccessKey", "UpdateSSHPublicKey", "UpdateSigningCertificate", "UpdateServiceSpecificCredential"})
_REVOKES = {
    "iam": "DeleteAccessKey DeleteLoginProfile DeleteServiceSpecificCredential DeleteSSHPublicKey DeleteSigningCertificate",
    "ec2": "DeleteKeyPair",
    "sso": "Logout",
}
# Calls that take away what watches or limits an account, and those that say what agents and applications may do.
_GUARDRAILS = {
    "cloudtrail": "StopLogging DeleteTrail UpdateTrail PutEventSelectors PutInsightSelectors DeleteEventDataStore "
    "StopEventDataStoreIngestion",
    "guardduty": "DeleteDetector UpdateDetector StopMonitoringMembers DisassociateFromMasterAccount CreateFilter",
    "config": "StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel DeleteConfigRule",
    "securityhub": "DisableSecurityHub BatchDisableStandards",
    "macie2": "DisableMacie",
    "accessanalyzer": "DeleteAnalyzer",
    "iam": "DeleteRolePermissionsBoundary DeleteUserPermissionsBoundary DeleteAccountPasswordPolicy DeactivateMFADevice",
    "organizations": "LeaveOrganization DetachPolicy DisablePolicyType",
    "bedrock": "DeleteGuardrail UpdateGuardrail DeleteModelInvocationLoggingConfiguration",
    "logs": "DeleteLogGroup DeleteLogStream",
    "ec2": "DeleteFlowLogs DisableEbsEncryptionByDefault",
    "s3": "DeleteBucketPublicAccessBlock DeletePublicAccessBlock DeleteAccountPublicAccessBlock",
    "wafv2": "DisassociateWebACL DeleteWebACL",
    "verifiedpermissions": "CreatePolicy UpdatePolicy DeletePolicy CreatePolicyStore UpdatePolicyStore DeletePolicyStore "
    "CreatePolicyTemplate UpdatePolicyTemplate DeletePolicyTemplate PutSchema CreateIdentitySource UpdateIdentitySource "
    "DeleteIdentitySource",
    "bedrock-agentcore": "CreatePolicy UpdatePolicy DeletePolicy CreatePolicyEngine UpdatePolicyEngine DeletePolicyEngine UpdateGateway",
    "codecommit": "OverridePullRequestApprovalRules DeletePullRequestApprovalRule DeleteApprovalRuleTemplate",
}
# Calls that give or take rights: policies of identities, of an organisation's accounts and of what is to be reached, and memberships.
_RIGHTS = {
    "iam": "AttachUserPolicy AttachGroupPolicy AttachRolePolicy DetachUserPolicy DetachGroupPolicy DetachRolePolicy PutUserPolicy "
    "PutGroupPolicy PutRolePolicy DeleteUserPolicy DeleteGroupPolicy DeleteRolePolicy CreatePolicy DeletePolicy CreatePolicyVersion "
    "DeletePolicyVersion SetDefaultPolicyVersion UpdateAssumeRolePolicy PutUserPermissionsBoundary PutRolePermissionsBoundary "
    "AddUserToGroup RemoveUserFromGroup AddRoleToInstanceProfile RemoveRoleFromInstanceProfile",
    "sso": "CreateAccountAssignment DeleteAccountAssignment AttachManagedPolicyToPermissionSet DetachManagedPolicyFromPermissionSet "
    "AttachCustomerManagedPolicyReferenceToPermissionSet DetachCustomerManagedPolicyReferenceFromPermissionSet "
    "PutInlinePolicyToPermissionSet DeleteInlinePolicyFromPermissionSet PutPermissionsBoundaryToPermissionSet "
    "DeletePermissionsBoundaryFromPermissionSet",
    "identitystore": "CreateGroupMembership DeleteGroupMembership",
    "sso-directory": "AddMemberToGroup RemoveMemberFromGroup",
    "organizations": "AttachPolicy CreatePolicy UpdatePolicy DeletePolicy",
    "lakeformation": "GrantPermissions RevokePermissions BatchGrantPermissions BatchRevokePermissions",
    "eks": "CreateAccessEntry UpdateAccessEntry DeleteAccessEntry AssociateAccessPolicy DisassociateAccessPolicy",
    "s3": "PutBucketPolicy DeleteBucketPolicy PutBucketAcl PutObjectAcl PutAccessPointPolicy DeleteAccessPointPolicy",
    "kms": "PutKeyPolicy",
    "secretsmanager": "PutResourcePolicy DeleteResourcePolicy",
    "lambda": "AddPermission RemovePermission AddLayerVersionPermission RemoveLayerVersionPermission",
    "ecr": "SetRepositoryPolicy DeleteRepositoryPolicy",
    "sqs": "AddPermission RemovePermission",
    "sns": "AddPermission RemovePermission",
}
_CI = {
    "codebuild": ("StartBuild StartBuildBatch RetryBuild RetryBuildBatch", "CreateProject UpdateProject DeleteProject "
                  "UpdateProjectVisibility CreateWebhook UpdateWebhook DeleteWebhook ImportSourceCredentials"),
    "codepipeline": ("StartPipelineExecution RetryStageExecution PutApprovalResult", "CreatePipeline UpdatePipeline DeletePipeline"),
    "codedeploy": ("CreateDeployment", "CreateDeploymentConfig UpdateDeploymentGroup CreateDeploymentGroup"),
}  # fmt: skip
_DATABASES = {
    "rds-data": "ExecuteStatement BatchExecuteStatement ExecuteSql",
    "redshift-data": "ExecuteStatement BatchExecuteStatement",
    "athena": "StartQueryExecution",
    "dynamodb": "GetItem PutItem UpdateItem DeleteItem Query Scan BatchGetItem BatchWriteItem ExecuteStatement "
    "BatchExecuteStatement TransactGetItems TransactWriteItems GetRecords",
    "timestream": "Query",
    "neptune-db": "ExecuteOpenCypherQuery ExecuteGremlinQuery",
}
_PACKAGES = {
    "ecr": ("BatchGetImage GetDownloadUrlForLayer", "PutImage"),
    "ecr-public": ("GetDownloadUrlForLayer", "PutImage"),
    "codeartifact": ("GetPackageVersionAsset GetPackageVersionReadme", "PublishPackageVersion CopyPackageVersions"),
}
# Parameters that name the main thing a call acts on, where `resources` does not.
_PARAMETERS = (
    "roleArn", "secretId", "functionName", "bucketName", "tableName", "repositoryName", "clusterName", "projectName",
    "pipelineName", "stateMachineArn", "topicArn", "queueUrl", "keyId", "policyArn", "dBInstanceIdentifier",
    "dBClusterIdentifier", "instanceId", "imageId", "snapshotId", "groupId", "vpcId", "trailName", "detectorId",
    "logGroupName", "stackName", "modelId", "roleName", "userName", "groupName", "resourceArn", "arn", "id", "name",
    "target",
)  # fmt: skip


def _words(table: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((service, name) for service, names in table.items() for name in names.split())


def _table() -> dict[tuple[str, str], Verb]:
    """Every call with a verb of its own; later tables win."""
    verbs = dict.fromkeys(_words(_GUARDRAILS) | _words(_RIGHTS), Verb.GUARDRAIL_CHANGE)
    verbs |= dict.fromkeys(_words(_ISSUES), Verb.CREDENTIAL_ISSUE)
    verbs |= dict.fromkeys(_words(_REVOKES), Verb.CREDENTIAL_REVOKE)
    verbs |= dict.fromkeys(_words(_DATABASES), Verb.DB_QUERY)
    verbs |= dict.fromkeys(_words({"secretsmanager": _SECRET_WRITES}), Verb.SECRET_WRITE)
    verbs |= dict.fromkeys(_words({"secretsmanager": "GetSecretValue BatchGetSecretValue", "kms": "Decrypt"}), Verb.SECRET_READ)
    for service, (run, modify) in _CI.items():
        verbs |= dict.fromkeys(_words({service: run}), Verb.CI_RUN) | dict.fromkeys(_words({service: modify}), Verb.CI_MODIFY)
    for service, (pull, push) in _PACKAGES.items():
        verbs |= dict.fromkeys(_words({service: pull}), Verb.PACKAGE_INSTALL)
        verbs |= dict.fromkeys(_words({service: push}), Verb.PACKAGE_PUBLISH)
    return verbs


_VERBS = _table()


@lru_cache(maxsize=8192)
def service_of(source: str) -> str:
    """`secretsmanager` of `secretsmanager.amazonaws.com`, also of the China and ISO partitions' names."""
    return source.split(".amazonaws.")[0].removesuffix(".amazonaws").lower()


@lru_cache(maxsize=8192)
def call_name(name: str) -> str:
    """The call without the API version that Lambda writes behind its names."""
    return _VERSION.sub("", name)


def classify(service: str, name: str, parameters: Json, resources: object) -> tuple[Verb, Target]:
    """Verb and target of one call; `cloud.call` on `<service>:<name>` where nothing more telling is known."""
    verb = _verb(service, name, parameters)
    main = main_resource(parameters, resources)
    if verb in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        return verb, _secret(service, parameters, main)
    if service == "codecommit" and verb is not Verb.CLOUD_CALL:
        named = first_text(parameters, "repositoryName", "repositoryname") or main.rpartition(":")[2]
        detail = first_text(parameters, "branchName", "destinationReference", "destinationCommitSpecifier")
        detail = detail or next((text(one.get("ref")) for one in _references(parameters)), "")
        return verb, Target(TargetClass.REPOSITORY, named, detail.removeprefix("refs/heads/"))
    if verb in (Verb.CI_RUN, Verb.CI_MODIFY):
        return verb, Target(
            TargetClass.CI_CD, first_text(parameters, "projectName", "pipelineName", "name", "applicationName") or main
        )
    if verb in (Verb.PACKAGE_INSTALL, Verb.PACKAGE_PUBLISH):
        return verb, Target(
            TargetClass.PACKAGE_REGISTRY, f"{service}/{first_text(parameters, 'repositoryName', 'repository')}", main
        )
    if verb is Verb.DB_QUERY:
        named = first_text(parameters, "tableName", "database", "clusterIdentifier", "resourceArn", "workGroup")
        return verb, Target(TargetClass.DATABASE, named or main, main)
    if verb is Verb.CLUSTER_CALL or service == "eks":
        return verb, Target(TargetClass.CLUSTER, first_text(parameters, "clusterName", "name") or main, f"{service}:{name}")
    return verb, Target(TargetClass.CLOUD, f"{service}:{name}", main)


def _verb(service: str, name: str, parameters: Json) -> Verb:
    verb = _VERBS.get((service, name))
    if verb is not None:
        return verb
    if service == "ssm":
        return _parameter_store(name, parameters)
    if service == "iam" and name in _SWITCHED:
        return Verb.CREDENTIAL_REVOKE if text(parameters.get("status")).lower() == "inactive" else Verb.CREDENTIAL_RENEW
    if service == "codecommit":
        return _codecommit(name)
    if service == "eks" and not name.startswith(("List", "DescribeAddonVersions")):
        return Verb.CLUSTER_CALL
    return Verb.CLOUD_CALL


def _parameter_store(name: str, parameters: Json) -> Verb:
    if name in ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"):
        return Verb.SECRET_READ if truth(parameters.get("withDecryption")) else Verb.CLOUD_CALL
    if name == "PutParameter" and text(parameters.get("type")) == "SecureString":
        return Verb.SECRET_WRITE
    return Verb.CLOUD_CALL


def _codecommit(name: str) -> Verb:
    if name.startswith("MergePullRequest"):
        return Verb.PR_MERGE
    if name.startswith("MergeBranches"):
        return Verb.REPO_MERGE
    if name == "CreatePullRequest":
        return Verb.PR_OPEN
    if name in ("GitPush", "PutFile", "DeleteFile", "CreateCommit", "CreateBranch", "DeleteBranch", "UpdateDefaultBranch"):
        return Verb.REPO_WRITE
    if name in ("CreateRepository", "DeleteRepository", "UpdateRepositoryName", "PutRepositoryTriggers"):
        return Verb.REPO_WRITE
    if name.startswith(("GitPull", "GetFile", "GetFolder", "GetBlob", "GetCommit", "GetDifferences", "BatchGetCommits")):
        return Verb.REPO_READ
    return Verb.CLOUD_CALL


def main_resource(parameters: Json, resources: object) -> str:
    """The ARN of the first resource, else the parameter that names what the call acts on; "" where nothing does."""
    if isinstance(resources, list):
        for one in resources:
            if isinstance(one, dict) and (arn := first_text(one, "ARN", "arn", "resourceName", "ARNPrefix")):
                return arn
    if not parameters:
        return ""
    if (bucket := text(parameters.get("bucketName"))) and (name := first_text(parameters, "key", "prefix")):
        return f"arn:aws:s3:::{bucket}/{name}"
    if bucket:
        return f"arn:aws:s3:::{bucket}"
    if found := first_text(parameters, *_PARAMETERS):
        return found
    if machines := texts(parameters.get("instanceIds")):
        return ",".join(machines[:20])
    items = dig(parameters, "instancesSet", "items")
    return first_text(mapping(items[0]), "instanceId") if isinstance(items, list) and items else ""


def _references(parameters: Json) -> list[Json]:
    stated = parameters.get("references")
    return [one for one in stated[:50] if isinstance(one, dict)] if isinstance(stated, list) else []


def pushed(parameters: Json) -> tuple[Key, ...]:
    """The commits that a push to CodeCommit moved references to."""
    return keys(*(key(KeyRole.REFERENCE, "commit", commit_id(one.get("commit"))) for one in _references(parameters)))


def _secret(service: str, parameters: Json, main: str) -> Target:
    """A secret under the name people use for it; its ARN is the detail."""
    if service == "kms":
        context = mapping(parameters.get("encryptionContext"))
        main = first_text(context, "SecretARN", "PARAMETER_ARN", "aws:secretsmanager:arn") or main
        return Target(TargetClass.SECRET_STORE, secret_name(main), main)
    names = texts(parameters.get("names")) or texts(parameters.get("secretIdList"))
    named = first_text(parameters, "secretId", "name", "path")
    each = [named] if named else list(names[:20]) or [main]
    return Target(TargetClass.SECRET_STORE, ",".join(secret_name(one) for one in each), main or ",".join(each))


def secret_name(address: str) -> str:
    """The friendly name within a secret's or parameter's ARN; whatever is no such ARN stays as it is."""
    if m := _SECRET_ARN.match(address):
        return m.group(1)
    if m := _PARAMETER_ARN.match(address):
        return m.group(1)
    return address
