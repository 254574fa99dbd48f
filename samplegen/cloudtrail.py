"""AWS CloudTrail as it is delivered: `{"Records": [...]}`, one file per account."""

from __future__ import annotations

from dataclasses import dataclass

from samplegen.moments import SECOND, aws_words, iso_seconds
from samplegen.records import Json, Record
from samplegen.scene import Scene
from samplegen.world import DOMAIN, PRODUCTION, REGION

USER_AGENT = "aws-cli/2.24.5 md/awscrt#0.23.8 ua/2.0 os/linux#6.8.0 md/arch#x86_64 lang/python#3.12.9 cfg/retry-mode#standard"


def log_of(account: str) -> str:
    return "cloudtrail-production" if account == PRODUCTION else "cloudtrail-staging"


@dataclass(slots=True)
class RoleSession:
    """A role's temporary key; `session` is the agent session its role session name carries, "" if it carries none."""

    key: str
    role: str
    account: str
    role_id: str
    name: str
    session: str
    issued: int
    issue_record: Record | None

    @property
    def identity(self) -> Json:
        issuer = f"arn:aws:iam::{self.account}:role/{self.role}"
        return {
            "type": "AssumedRole",
            "principalId": f"{self.role_id}:{self.name}",
            "arn": f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.name}",
            "accountId": self.account,
            "accessKeyId": self.key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": self.role_id,
                    "arn": issuer,
                    "accountId": self.account,
                    "userName": self.role,
                },
                "webIdFederationData": {},
                "attributes": {"creationDate": iso_seconds(self.issued), "mfaAuthenticated": "false"},
            },
        }


def user_identity(account: str, user: str, user_id: str, key: str) -> Json:
    """An IAM user acting with a key of its own."""
    return {
        "type": "IAMUser",
        "principalId": user_id,
        "arn": f"arn:aws:iam::{account}:user/{user}",
        "accountId": account,
        "accessKeyId": key,
        "userName": user,
    }


def web_identity(account: str, name: str, provider: str = f"id.{DOMAIN}") -> Json:
    return {
        "type": "WebIdentityUser",
        "principalId": f"arn:aws:iam::{account}:oidc-provider/{provider}:sts.amazonaws.com:{name}",
        "userName": name,
        "identityProvider": f"arn:aws:iam::{account}:oidc-provider/{provider}",
    }


def event(
    scene: Scene,
    at: int,
    account: str,
    identity: Json,
    service: str,
    name: str,
    *,
    address: str,
    read_only: bool,
    parameters: Json | None = None,
    response: Json | None = None,
    resources: list[Json] | None = None,
    task: str | None = None,
    step: str | None = None,
    by: str = "none",
) -> Record:
    data: Json = {
        "eventVersion": "1.08",
        "userIdentity": identity,
        "eventTime": iso_seconds(scene.clock("cloudtrail", at)),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": address,
        "userAgent": USER_AGENT,
        "requestParameters": parameters,
        "responseElements": response,
        "requestID": scene.ids.uuid(),
        "eventID": scene.ids.uuid(),
        "readOnly": read_only,
    }
    if resources is not None:
        data["resources"] = resources
    data |= {
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if identity["type"] != "AWSService":
        data["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{REGION}.amazonaws.com",
        }
    return scene.record("cloudtrail", log_of(account), at, data, task, step, by)


def assume(
    scene: Scene,
    at: int,
    account: str,
    role: str,
    identity: Json,
    *,
    name: str,
    session: str,
    seconds: int,
    address: str,
    task: str | None,
    step: str | None,
    opening: Record | None,
    web: bool = True,
    by: str = "",
) -> RoleSession:
    """A role session begins; with a session id in its name the chain is exact."""
    if scene.masked and session:
        name, session = "agent", ""
    made = RoleSession(scene.ids.aws_key(), role, account, scene.ids.aws_principal("AROA"), name, session, at, None)
    arn = f"arn:aws:iam::{account}:role/{role}"
    response: Json = {
        "credentials": {
            "accessKeyId": made.key,
            "expiration": aws_words(scene.clock("cloudtrail", at) + seconds * SECOND),
        },
        "assumedRoleUser": {
            "assumedRoleId": f"{made.role_id}:{name}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        },
    }
    if web:
        response["subjectFromWebIdentityToken"] = str(identity["userName"])
        response["audience"] = "sts.amazonaws.com"
    made.issue_record = event(
        scene,
        at,
        account,
        identity,
        "sts",
        "AssumeRoleWithWebIdentity" if web else "AssumeRole",
        address=address,
        read_only=True,
        parameters={"roleArn": arn, "roleSessionName": name, "durationSeconds": seconds},
        response=response,
        resources=[{"accountId": account, "type": "AWS::IAM::Role", "ARN": arn}],
        task=task,
        step=step,
        by=by or ("scope" if session else "inference" if task else "none"),
    )
    if session:
        scene.tie(opening, made.issue_record, "scope", f"session:{session}")
    return made


def call(
    scene: Scene,
    at: int,
    role: RoleSession,
    service: str,
    name: str,
    *,
    address: str,
    read_only: bool = False,
    parameters: Json | None = None,
    response: Json | None = None,
    task: str | None,
    step: str | None,
    opening: Record | None = None,
) -> Record:
    """A call with a role's temporary key: the key ties it to the issuance, the name to the session."""
    made = event(
        scene,
        at,
        role.account,
        role.identity,
        service,
        name,
        address=address,
        read_only=read_only,
        parameters=parameters,
        response=response,
        task=task,
        step=step,
        by="scope" if role.session else "credential" if task else "none",
    )
    if role.issue_record is not None:
        scene.bundle.link(role.issue_record, made, "derived", "credential", f"aws.key:{role.key}")
    if role.session:
        scene.tie(opening, made, "scope", f"session:{role.session}")
    return made
