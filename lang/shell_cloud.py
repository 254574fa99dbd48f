"""Clouds and infrastructure tools: aws, gcloud, az, terraform and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lang import shell_guards
from lang.shell_calls import Call, wordset
from lang.shell_ops import Args, Classifier, made, split, tried
from model.event import Operation
from model.words import TargetClass, Verb

_CLOUD, _CLUSTER, _STORE = TargetClass.CLOUD, TargetClass.CLUSTER, TargetClass.SECRET_STORE
_DESTROYS = re.compile(
    r"^(?:delete|terminate|destroy|purge|rb$|remove-|deregister|revoke|disable|stop-|detach|reset-|drop|wipe|rm$)"
)

_AWS_VALUES = wordset(
    "--region --profile --output --endpoint-url --query --ca-bundle --cli-read-timeout --cli-connect-timeout --color --secret-id --name --names "
    "--role-arn --role-session-name --bucket --key --function-name --cluster --cluster-name --user-name --access-key-id --duration-seconds "
    "--parameters --filters --instance-ids --policy-document --policy-arn --role-name --stack-name --template-file --template-body --secret-string "
    "--version-id --version-stage --path --with --payload --table-name --source-identity --web-identity-token --token --cli-input-json --db-instance-identifier "
    "--log-group-name --image-id --tags --description --value --type --key-id --ciphertext-blob --plaintext --secret-binary --serial-number --token-code"
)
# service + operation -> verb; a secret store's name is taken from the option named.
_AWS: dict[str, tuple[Verb, str]] = {
    "secretsmanager get-secret-value": (Verb.SECRET_READ, "--secret-id"),
    "secretsmanager batch-get-secret-value": (Verb.SECRET_READ, "--secret-id-list"),
    "secretsmanager create-secret": (Verb.SECRET_WRITE, "--name"),
    "secretsmanager put-secret-value": (Verb.SECRET_WRITE, "--secret-id"),
    "secretsmanager update-secret": (Verb.SECRET_WRITE, "--secret-id"),
    "secretsmanager delete-secret": (Verb.SECRET_WRITE, "--secret-id"),
    "secretsmanager rotate-secret": (Verb.SECRET_WRITE, "--secret-id"),
    "ssm put-parameter": (Verb.SECRET_WRITE, "--name"),
    "ssm get-parameter": (Verb.SECRET_READ, "--name"),
    "ssm get-parameters": (Verb.SECRET_READ, "--names"),
    "ssm get-parameters-by-path": (Verb.SECRET_READ, "--path"),
    "sts assume-role": (Verb.CREDENTIAL_ISSUE, "--role-arn"),
    "sts assume-role-with-web-identity": (Verb.CREDENTIAL_ISSUE, "--role-arn"),
    "sts assume-role-with-saml": (Verb.CREDENTIAL_ISSUE, "--role-arn"),
    "sts get-session-token": (Verb.CREDENTIAL_ISSUE, ""),
    "sts get-federation-token": (Verb.CREDENTIAL_ISSUE, "--name"),
    "iam create-access-key": (Verb.CREDENTIAL_ISSUE, "--user-name"),
    "iam create-service-specific-credential": (Verb.CREDENTIAL_ISSUE, "--user-name"),
    "iam create-login-profile": (Verb.CREDENTIAL_ISSUE, "--user-name"),
    "iam delete-access-key": (Verb.CREDENTIAL_REVOKE, "--access-key-id"),
    "sso login": (Verb.CREDENTIAL_ISSUE, ""),
    "ecr get-login-password": (Verb.CREDENTIAL_ISSUE, ""),
    "ecr get-authorization-token": (Verb.CREDENTIAL_ISSUE, ""),
    "codeartifact get-authorization-token": (Verb.CREDENTIAL_ISSUE, ""),
    "eks get-token": (Verb.CREDENTIAL_ISSUE, "--cluster-name"),
    "rds generate-db-auth-token": (Verb.CREDENTIAL_ISSUE, ""),
    "configure export-credentials": (Verb.SECRET_READ, ""),
    **dict.fromkeys(shell_guards.AWS, (Verb.GUARDRAIL_CHANGE, "--name")),
}


def aws(call: Call) -> Iterator[Operation]:
    """AWS: the operation in CloudTrail's spelling, `ec2:DescribeInstances`; `s3:cp` and its kind as they are."""
    args = split(call.args, _AWS_VALUES)
    words = args.words()
    if len(words) < 2 or not all(words[:2]):
        if args.operands and words[:1] != ["help"] and words[:1] != ["configure"]:
            yield made(call, Verb.UNKNOWN, _CLOUD, certain=False)
        return
    service, operation = words[0], words[1]
    flags = [*_where(args, "--profile", "--region"), *(["dry-run"] if words[-1] == "help" else tried(args))]
    verb, option = _AWS.get(f"{service} {operation}", (Verb.CLOUD_CALL, ""))
    if service == "ssm" and verb is Verb.SECRET_READ and not args.has("--with-decryption"):
        verb = Verb.CLOUD_CALL
    if service == "configure" and verb is Verb.CLOUD_CALL:
        if operation == "set":
            yield made(call, Verb.FILE_WRITE, TargetClass.FILESYSTEM, "~/.aws/credentials", flags=["secret-file", *flags])
        return
    if (
        _DESTROYS.match(operation)
        or (service == "s3" and args.has("--delete"))
        or (operation == "rm" and args.has("--recursive"))
    ):
        flags.append("destructive")
    if verb in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        name = args.value(option)
        yield made(call, verb, _STORE, name, "", flags, bool(name) or not option)
        return
    name = f"{service}:{operation if '-' not in operation and service in ('s3', 's3api') else _pascal(operation)}"
    detail = args.value(option) or (words[-1] if service == "s3" and len(words) > 2 else "")
    yield made(call, verb, _CLOUD, name, detail, flags, args.known)


def _pascal(operation: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in operation.split("-"))


def _where(args: Args, *options: str) -> list[str]:
    return [f"{option.lstrip('-')}={value}" for option in options if (value := args.value(option))]


_GCLOUD_VALUES = wordset(
    "--project --account --configuration --format --filter --region --zone --secret --version --impersonate-service-account --cluster --location "
    "--data-file --iam-account --member --role --image --limit --sort-by --quiet-level --source --lifetime"
)
_GCLOUD: dict[str, Verb] = {
    "secrets versions access": Verb.SECRET_READ,
    "secrets create": Verb.SECRET_WRITE,
    "secrets versions add": Verb.SECRET_WRITE,
    "secrets delete": Verb.SECRET_WRITE,
    "auth print-access-token": Verb.CREDENTIAL_ISSUE,
    "auth print-identity-token": Verb.CREDENTIAL_ISSUE,
    "auth application-default print-access-token": Verb.CREDENTIAL_ISSUE,
    "auth application-default login": Verb.CREDENTIAL_ISSUE,
    "auth login": Verb.CREDENTIAL_ISSUE,
    "auth activate-service-account": Verb.CREDENTIAL_ISSUE,
    "auth revoke": Verb.CREDENTIAL_REVOKE,
    "iam service-accounts keys create": Verb.CREDENTIAL_ISSUE,
    "iam service-accounts keys delete": Verb.CREDENTIAL_REVOKE,
    "container clusters get-credentials": Verb.CREDENTIAL_ISSUE,
    **dict.fromkeys(shell_guards.GCLOUD, Verb.GUARDRAIL_CHANGE),
}
_GCLOUD_ACTIONS = wordset(
    "list describe create delete update get set add remove deploy run ssh start stop reset access print-access-token print-identity-token login "
    "get-iam-policy set-iam-policy add-iam-policy-binding remove-iam-policy-binding get-credentials enable disable submit tail read execute call "
    "cp rm mv ls cat rsync sign-url patch import export resize move attach detach undelete destroy wait connect get-value replace clone restart disable-enforce"
)


def gcloud(call: Call) -> Iterator[Operation]:
    """Google Cloud: `service:group.operation`."""
    args = split(call.args, _GCLOUD_VALUES)
    words = [w for w in args.words() if w not in ("alpha", "beta", "preview")]
    if not words or words[0] in ("config", "info", "version", "help", "components", "topic"):
        return
    if not words[0]:
        yield made(call, Verb.UNKNOWN, _CLOUD, certain=False)
        return
    size = next((i + 1 for i, word in enumerate(words) if word in _GCLOUD_ACTIONS and i), len(words))
    joined = " ".join(words[:size])
    verb = _GCLOUD.get(joined, Verb.CLOUD_CALL)
    flags = [*_where(args, "--project", "--region", "--zone"), *tried(args)]
    if words[size - 1] in ("delete", "destroy", "rm", "reset", "remove"):
        flags.append("destructive")
    if verb in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        secret = args.value("--secret") or next((w for w in reversed(words[size:])), "")
        yield made(call, verb, _STORE, secret, args.value("--project"), flags, bool(secret))
        return
    name = f"{words[0]}:{'.'.join(words[1:size])}" if size > 1 else words[0]
    yield made(call, verb, _CLOUD, name, args.value("--project"), flags, args.known)


_AZ_VALUES = wordset(
    "--subscription --resource-group -g --name -n --vault-name --output -o --query --location -l --resource --scope --file -f --value --id --ids "
    "--username -u --password -p --tenant -t --client-id --federated-token --certificate"
)
_AZ: dict[str, Verb] = {
    "keyvault secret show": Verb.SECRET_READ,
    "keyvault secret download": Verb.SECRET_READ,
    "keyvault secret set": Verb.SECRET_WRITE,
    "keyvault secret delete": Verb.SECRET_WRITE,
    "account get-access-token": Verb.CREDENTIAL_ISSUE,
    "login": Verb.CREDENTIAL_ISSUE,
    "ad sp create-for-rbac": Verb.CREDENTIAL_ISSUE,
    "ad app credential reset": Verb.CREDENTIAL_ISSUE,
    "acr login": Verb.CREDENTIAL_ISSUE,
    "aks get-credentials": Verb.CREDENTIAL_ISSUE,
    "storage account keys list": Verb.SECRET_READ,
    **dict.fromkeys(shell_guards.AZURE, Verb.GUARDRAIL_CHANGE),
}


def azure(call: Call) -> Iterator[Operation]:
    """Azure: `group:operation`, the operation being the words after the first and before any option."""
    args = split(call.args, _AZ_VALUES)
    before = next((n for n, word in enumerate(call.args) if word.text.startswith("-")), len(call.args))
    words = split(call.args[:before], frozenset()).words() or args.words()
    if not words or words[0] in ("version", "help", "config", "extension", "find", "configure"):
        return
    joined = " ".join(words)
    verb = _AZ.get(joined, Verb.CLOUD_CALL)
    flags = [*_where(args, "--subscription", "--resource-group", "-g", "--name", "-n"), *tried(args)]
    if words[-1] in ("delete", "purge", "stop", "deallocate", "remove"):
        flags.append("destructive")
    if verb in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        yield made(
            call, verb, _STORE, "/".join(filter(None, (args.value("--vault-name"), args.value("--name", "-n")))), "", flags
        )
        return
    yield made(
        call, verb, _CLOUD, f"{words[0]}:{'.'.join(words[1:])}".rstrip(":"), args.value("--subscription"), flags, args.known
    )


_TERRAFORM_VALUES = wordset("-var -var-file -target -state -out -chdir -backend-config -replace")
_INFRA_VALUES = wordset(
    "--stack -s --cwd -C --stage --region --profile --app -a --context -c --template-file -i --inventory -e -l --limit -t --tags"
)
_INFRA_QUIET = wordset("fmt validate version help init -help providers get graph console login logout new about whoami")
_INFRA_READS = wordset("plan show output state preview refresh stack config diff list ls synth synthesize package")
_INFRA_WRITES = wordset(
    "apply destroy import taint untaint up update deploy remove down rollback deploy-stack bootstrap run cancel force-unlock"
)


def infrastructure(call: Call) -> Iterator[Operation]:
    """terraform, pulumi and their kin: `terraform:apply`; reading the state counts as a call too."""
    plain = call.name in ("terraform", "tofu", "terragrunt")
    args = split(call.args, _TERRAFORM_VALUES if plain else _INFRA_VALUES)
    words = args.words()
    if not words or words[0] in _INFRA_QUIET:
        return
    action = words[0]
    flags = [] if action in _INFRA_WRITES else ["read"] if action in _INFRA_READS else []
    if action in ("destroy", "remove", "down", "delete") or (action == "apply" and args.has("-destroy")):
        flags.append("destructive")
    if action in ("state", "stack", "workspace") and len(words) > 1 and words[1] in ("rm", "delete", "push", "mv", "import"):
        flags = ["destructive"] if words[1] in ("rm", "delete", "push") else []
        action = f"{action}.{words[1]}"
    if (
        args.has("-auto-approve", "--auto-approve", "--yes", "-y", "--skip-preview")
        or args.value("--require-approval") == "never"
    ):
        flags.append("auto-approve")
    flags += tried(args)
    yield made(
        call,
        Verb.CLOUD_CALL,
        _CLOUD,
        f"{call.name}:{action}",
        args.value("--stack", "-s", "--stage", "-target"),
        flags,
        bool(words[0]),
    )


_READS = wordset("list ls ps status logs log info get show describe inspect view whoami version help --version --help env")
_DESTROYING = wordset("delete destroy rm remove purge wipe drop reset")


def platform(call: Call) -> Iterator[Operation]:
    """Hosting platforms' command lines: `flyctl:apps.destroy`."""
    args = split(
        call.args,
        wordset(
            "-a --app -p --project -t --token --org -o --team -r --region -e --env --environment --scope --cwd --config -c -s --service"
        ),
    )
    words = args.words()
    if not words or words[0] in ("version", "help", "completion", "--version", "--help"):
        return
    action = ".".join(w for w in words[:2] if w)
    flags = ["destructive"] if _DESTROYING.intersection(words[:3]) else ["read"] if _READS.intersection(words[:2]) else []
    flags += tried(args)
    verb = (
        Verb.CREDENTIAL_ISSUE
        if words[0] in ("login",) or words[:2] in (["auth", "login"], ["auth", "token"])
        else Verb.CLOUD_CALL
    )
    if words[0] in ("secrets", "secret", "config:set", "env") and len(words) > 1 and words[1] not in _READS:
        yield made(call, Verb.SECRET_WRITE, _STORE, args.value("-a", "--app"), call.name, flags, args.known)
        return
    yield made(call, verb, _CLOUD, f"{call.name}:{action}", args.value("-a", "--app", "-p", "--project"), flags, args.known)


def gsutil(call: Call) -> Iterator[Operation]:
    args = split(call.args, wordset("-o -h -i"))
    words = args.words()
    if words:
        flags = ["destructive"] if words[0] in ("rm", "rb") or (words[0] == "rsync" and args.has("-d")) else []
        flags += tried(args, "-n") if words[0] == "rsync" else []
        yield made(call, Verb.CLOUD_CALL, _CLOUD, f"storage:{words[0]}", words[-1] if len(words) > 1 else "", flags, args.known)


CLASSIFIERS: dict[str, Classifier] = {
    "aws": aws,
    "gcloud": gcloud,
    "az": azure,
    "gsutil": gsutil,
    **dict.fromkeys(
        ("terraform", "tofu", "terragrunt", "pulumi", "cdk", "cdktf", "sam", "serverless", "sls", "ansible-playbook"),
        infrastructure,
    ),
    **dict.fromkeys(
        (
            "flyctl",
            "fly",
            "heroku",
            "vercel",
            "netlify",
            "wrangler",
            "railway",
            "supabase",
            "doctl",
            "render",
            "firebase",
            "eksctl",
            "ibmcloud",
            "oci",
        ),
        platform,
    ),
}
