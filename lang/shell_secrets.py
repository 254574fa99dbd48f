"""Secret stores' command lines: Vault and OpenBao, 1Password, Doppler, pass, gopass, sops, the keychains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lang.shell_calls import Call, wordset
from lang.shell_ops import Classifier, made, split
from model.event import Operation
from model.words import TargetClass, Verb

_STORE = TargetClass.SECRET_STORE
_VAULT_VALUES = wordset(
    "-address -namespace -ns -format -field -mount -version -method -path -ttl -policy -role -wrap-ttl -ca-cert -increment -accessor"
)
# Sub-command -> verb; longest first.
_VAULT: dict[str, Verb] = {
    "kv get": Verb.SECRET_READ,
    "kv put": Verb.SECRET_WRITE,
    "kv patch": Verb.SECRET_WRITE,
    "kv delete": Verb.SECRET_WRITE,
    "kv destroy": Verb.SECRET_WRITE,
    "kv undelete": Verb.SECRET_WRITE,
    "kv metadata": Verb.SECRET_WRITE,
    "kv list": Verb.SECRET_READ,
    "kv rollback": Verb.SECRET_WRITE,
    "read": Verb.SECRET_READ,
    "list": Verb.SECRET_READ,
    "write": Verb.SECRET_WRITE,
    "delete": Verb.SECRET_WRITE,
    "unwrap": Verb.SECRET_READ,
    "login": Verb.CREDENTIAL_ISSUE,
    "token create": Verb.CREDENTIAL_ISSUE,
    "token renew": Verb.CREDENTIAL_RENEW,
    "token revoke": Verb.CREDENTIAL_REVOKE,
    "token lookup": Verb.SECRET_READ,
    "lease renew": Verb.CREDENTIAL_RENEW,
    "lease revoke": Verb.CREDENTIAL_REVOKE,
    "lease lookup": Verb.SECRET_READ,
    "ssh": Verb.CREDENTIAL_ISSUE,
    "policy write": Verb.GUARDRAIL_CHANGE,
    "policy delete": Verb.GUARDRAIL_CHANGE,
    "audit disable": Verb.GUARDRAIL_CHANGE,
    "audit enable": Verb.GUARDRAIL_CHANGE,
    "auth enable": Verb.GUARDRAIL_CHANGE,
    "auth disable": Verb.GUARDRAIL_CHANGE,
    "auth tune": Verb.GUARDRAIL_CHANGE,
    "secrets enable": Verb.SECRET_WRITE,
    "secrets disable": Verb.SECRET_WRITE,
    "operator": Verb.GUARDRAIL_CHANGE,
}
_ISSUING = ("/creds/", "/sign/", "/issue/", "/sts/", "/token/")


def vault(call: Call) -> Iterator[Operation]:
    """Vault and OpenBao; reading a dynamic engine's `creds` path or writing a `login` issues a credential."""
    args = split(call.args, _VAULT_VALUES)
    words = args.words()
    found = next(((" ".join(words[:n]), n) for n in (2, 1) if " ".join(words[:n]) in _VAULT), None)
    if found is None:
        if args.operands and not args.known:
            yield made(call, Verb.UNKNOWN, _STORE, certain=False)
        return
    action, count = found
    verb = _VAULT[action]
    path = words[count].strip("/") if len(words) > count else ""
    if action.startswith("kv") and (mount := args.value("-mount")):
        path = f"{mount}/{path}"
    if action in ("read", "write") and any(part in f"/{path}/" for part in _ISSUING):
        verb = Verb.CREDENTIAL_ISSUE
    if action == "write":
        if path.startswith("auth/") and "/login" in path:
            verb = Verb.CREDENTIAL_ISSUE
        elif path.startswith(("sys/policies", "sys/policy", "sys/audit")):
            verb = Verb.GUARDRAIL_CHANGE
        elif path.startswith("sys/leases/revoke") or path.endswith(("/revoke", "/revoke-self")):
            verb = Verb.CREDENTIAL_REVOKE
    flags = ["list"] if action in ("list", "kv list") else []
    if action.endswith(("delete", "destroy", "disable")):
        flags.append("destructive")
    # A token or lease named on the command line is a credential, not a path.
    shown = "" if action in ("login",) or action.startswith(("token", "lease")) else path
    yield made(call, verb, _STORE, shown, args.value("-namespace", "-ns"), flags, args.known)


_OVER_HTTP = re.compile(r"^(?:https?://[^/?#]+|\$\{?(?:VAULT|BAO)_ADDR\}?)/v1/([^?#]*)", re.I)
_METADATA = re.compile(
    r"^(?:http://)?(?:"
    r"(?:169\.254\.169\.254|\[?fd00:ec2::254\]?|instance-data(?:\.ec2\.internal)?)(?::80)?/(latest/meta-data/iam/security-credentials/[^?#]+)"
    r"|(?:169\.254\.169\.254|metadata(?:\.google\.internal)?)(?::80)?/(computeMetadata/v1/instance/service-accounts/[^/?#]+/(?:token|identity))"
    r"|169\.254\.169\.254(?::80)?/(metadata/identity/oauth2/token)"
    r"|169\.254\.170\.23?(?::80)?/(v\d/credentials[^?#]*)"
    r"|169\.254\.170\.2(?::80)?/?\$\{?(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)\}?"
    r")",
    re.I,
)


_KEY_VAULT = re.compile(r"^https://([a-z0-9-]{3,24})\.vault\.azure\.net(?::443)?/secrets(?:/([\w-]{1,127}))?(?:[/?#]|$)", re.I)


def over_http(call: Call, address: str, method: str, headers: Iterable[str]) -> Iterator[Operation]:
    """What a request does in a secret store: Vault's HTTP interface, told by its own header or address, Azure's Key Vault, and what clouds hand a machine.

    A machine's credential is named by its path on the metadata service, whichever of the service's names was called.
    """
    if metadata := _METADATA.match(address):
        yield made(
            call, Verb.SECRET_READ, _STORE, next(found for found in metadata.groups() if found).rstrip("/"), "metadata service"
        )
        return
    if kept := _KEY_VAULT.match(address):
        verb = Verb.SECRET_READ if method == "GET" else Verb.SECRET_WRITE
        yield made(call, verb, _STORE, "/".join(filter(None, kept.groups())), flags=["destructive"] if method == "DELETE" else [])
        return
    found = _OVER_HTTP.match(address)
    stated = found is not None and address.startswith("$")
    if found is None or not (stated or any(_TOKEN.match(header) for header in headers)):
        return
    path = found.group(1).strip("/")
    said = f"/{path}/"
    known = "$" not in path
    if any(part in said for part in _ISSUING) or (path.startswith("auth/") and "/login" in path):
        yield made(call, Verb.CREDENTIAL_ISSUE, _STORE, path, certain=known)
    elif path and not path.startswith(("sys/", "auth/")):
        verb = Verb.SECRET_READ if method in ("GET", "LIST") else Verb.SECRET_WRITE
        flags = ["list"] if method == "LIST" or "list=true" in address else ["destructive"] if method == "DELETE" else []
        yield made(call, verb, _STORE, path, "", flags, known)


_TOKEN = re.compile(r"^X-Vault-(?:Token|Request|Namespace)\s*:", re.I)

_OP_VALUES = wordset(
    "--vault --account --fields --format --field -o --out-file -i --in-file --title --category --session --cache"
)


def onepassword(call: Call) -> Iterator[Operation]:
    args = split(call.args, _OP_VALUES)
    words = args.words()
    if not words or words[0] in ("whoami", "account", "completion", "update"):
        return
    action = words[1] if len(words) > 1 else ""
    vault_name = args.value("--vault")
    if words[0] == "read":
        path = action.removeprefix("op://")
        yield made(call, Verb.SECRET_READ, _STORE, path, flags=[f"item={'/'.join(path.split('/')[:2])}"], certain=args.known)
    elif words[0] in ("run", "inject"):
        yield made(call, Verb.SECRET_READ, _STORE, args.value("--env-file", "-i"), flags=[words[0]])
    elif words[0] == "signin":
        yield made(call, Verb.CREDENTIAL_ISSUE, _STORE)
    elif words[0] in ("item", "document"):
        name = words[2] if len(words) > 2 else args.value("--title")
        path = f"{vault_name}/{name}" if vault_name and name else name
        verb = Verb.SECRET_READ if action in ("get", "list", "template") else Verb.SECRET_WRITE
        flags = ["destructive"] if action == "delete" else ["list"] if action == "list" else []
        if vault_name and name and action != "list":
            flags.append(f"item={path}")
        yield made(call, verb, _STORE, path, "", flags, args.known)
    elif words[0] in ("service-account", "connect", "user", "vault", "group"):
        verb = Verb.CREDENTIAL_ISSUE if action in ("create", "token") else Verb.SECRET_READ
        yield made(call, verb, _STORE, words[2] if len(words) > 2 else "", flags=["list"] if action == "list" else [])


# program -> the words that read, the words that write
_STORES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "doppler": (wordset("run secrets"), wordset("set delete upload")),
    "infisical": (wordset("run secrets export"), wordset("set delete")),
    "chamber": (wordset("exec read list export env"), wordset("write delete import")),
    "teller": (wordset("run env export show"), wordset("put delete")),
    "pass": (wordset("show"), wordset("insert generate edit rm mv cp")),
    "gopass": (wordset("show cat"), wordset("insert generate edit rm create")),
    "bw": (wordset("get list"), wordset("create edit delete")),
    "rbw": (wordset("get code"), wordset("add generate edit remove")),
    "lpass": (wordset("show export"), wordset("add edit rm")),
    "sops": (wordset("-d --decrypt decrypt exec-env exec-file"), wordset("-e --encrypt encrypt edit --rotate set")),
    "secret-tool": (wordset("lookup search"), wordset("store clear")),
    "keyring": (wordset("get"), wordset("set del")),
    "aws-vault": (wordset("exec export"), wordset("add remove rotate")),
    "berglas": (wordset("access exec"), wordset("create update delete")),
    "conjur": (wordset("variable"), wordset("policy")),
    "akeyless": (wordset("get-secret-value get-dynamic-secret-value"), wordset("create-secret update-secret-val delete-item")),
}


def store(call: Call) -> Iterator[Operation]:
    """Stores with one word for reading and one for writing."""
    reads, writes = _STORES[call.name]
    said = [word.text if word.literal else "" for word in call.args]
    names = [word for word in said if word and not word.startswith("-")]
    written = next((word for word in said if word in writes), "")
    action = written or next((word for word in said if word in reads), "")
    path = next((word for word in reversed(names) if word != action and word not in reads and word not in writes), "")
    if not action and call.name in ("pass", "gopass") and names:
        action, path = "show", names[0]
    if action:
        verb = Verb.SECRET_WRITE if written else Verb.SECRET_READ
        flags = ["destructive"] if written in ("rm", "delete", "remove") else []
        yield made(
            call,
            verb,
            _STORE,
            "" if call.name in ("doppler", "infisical", "teller", "aws-vault") else path,
            call.name,
            flags,
            all(said),
        )


def keychain(call: Call) -> Iterator[Operation]:
    """macOS `security`."""
    action = call.args[0].text if call.args else ""
    args = split(call.args, wordset("-a -s -l -D -c -w -g"))
    if action.startswith("find-") and action.endswith("-password"):
        yield made(call, Verb.SECRET_READ, _STORE, args.value("-s", "-l"), "keychain")
    elif action in ("dump-keychain", "export"):
        yield made(call, Verb.SECRET_READ, _STORE, "", "keychain")
    elif action.startswith(("add-", "delete-", "set-")):
        yield made(call, Verb.SECRET_WRITE, _STORE, args.value("-s", "-l"), "keychain")


CLASSIFIERS: dict[str, Classifier] = {
    "vault": vault,
    "bao": vault,
    "op": onepassword,
    "security": keychain,
    **dict.fromkeys(_STORES, store),
}
