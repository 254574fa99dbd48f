"""Clusters: kubectl, helm, argocd and their kin."""

from __future__ import annotations

from collections.abc import Iterator

from lang import shell_guards
from lang.shell_calls import Call, wordset
from lang.shell_ops import Classifier, made, split, tried
from model.event import Operation
from model.words import TargetClass, Verb

_CLUSTER, _STORE = TargetClass.CLUSTER, TargetClass.SECRET_STORE

_KUBE_VALUES = wordset(
    "-n --namespace --context --kubeconfig --cluster --user --as --as-group -s --server --token -o --output -l --selector -f --filename -c --container "
    "--field-selector --type --patch -p --replicas --image --timeout --tail --since --from-literal --from-file --sort-by -k --kustomize --grace-period --for "
    "--as-uid --as-user-extra --cache-dir --certificate-authority --client-certificate --client-key --log-flush-frequency --profile --profile-output "
    "--request-timeout --tls-server-name -v --vmodule --raw --subresource --field-manager --kuberc --template --overrides --override-type -L"
)
_KUBE_QUIET = wordset("version help completion api-resources api-versions explain options plugin")
_KUBE_DESTROYS = wordset("delete drain cordon taint evict")
_SECRET_KINDS = wordset("secret secrets sealedsecret")


def kubectl(call: Call) -> Iterator[Operation]:
    """Kubernetes: the cluster by its context, the namespace as detail, `op=` the verb and the kind of resource, `on=` what it is done to."""
    cut = next((i for i, word in enumerate(call.args) if word.text == "--"), len(call.args))
    args = split(call.args[:cut], _KUBE_VALUES)
    words = args.words()
    if not words or words[0] in _KUBE_QUIET:
        return
    if not words[0]:
        yield made(call, Verb.UNKNOWN, _CLUSTER, certain=False)
        return
    operation, kind = words[0], (words[1] if len(words) > 1 else "")
    namespace = args.value("-n", "--namespace")
    kind, slash, named = kind.partition("/")
    named = named if slash else (words[2] if len(words) > 2 else "")
    flags = [f"op={operation}{' ' + kind if kind else ''}"]
    if operation in _KUBE_DESTROYS or args.has("--prune", "--force") or args.value("--replicas") == "0":
        flags.append("destructive")
    flags += tried(args)
    if operation in ("exec", "attach", "cp", "port-forward", "debug", "proxy", "run"):
        flags.append(operation)
    context = args.value("--context", "--cluster")
    if kind.partition(".")[0].casefold() in _SECRET_KINDS and operation in (
        "get",
        "describe",
        "create",
        "delete",
        "edit",
        "patch",
        "apply",
        "replace",
    ):
        reads = operation in ("get", "describe")
        name = words[3] if operation == "create" and len(words) > 3 else named
        path = f"{namespace}/{name}" if namespace and name else name
        yield made(call, Verb.SECRET_READ if reads else Verb.SECRET_WRITE, _STORE, path, context, flags, args.known)
        return
    if operation == "create" and kind == "token":
        flags += [f"on=serviceaccounts/{named}"] if args.known and named else []
        yield made(call, Verb.CREDENTIAL_ISSUE, _CLUSTER, context, namespace, flags, args.known)
        return
    if operation == "config" and kind in ("view", "get-contexts", "current-context"):
        raw = kind == "view" and args.has("--raw")
        yield made(call, Verb.FILE_READ, TargetClass.FILESYSTEM, "~/.kube/config", flags=["secret-file"] if raw else [])
        return
    if args.known and (thing := _kube_thing(operation, words[1:])):
        flags.append(f"on={thing}")
    verb = Verb.GUARDRAIL_CHANGE if shell_guards.kube_guard(operation, words[1:]) else Verb.CLUSTER_CALL
    yield made(call, verb, _CLUSTER, context, namespace, flags, args.known)


def _kube_thing(operation: str, words: list[str]) -> str:
    """The kind and, where one is named, the name of what an operation is done to; "" where it is several or none."""
    if operation in ("rollout", "set"):
        words = words[1:]
    if operation == "create":
        made = words[:1] + words[2:] if words[:1] in (["service"], ["svc"]) else words
        return f"{made[0]}/{made[1]}" if len(made) == 2 and all(made) else ""
    if operation == "run":
        return f"pods/{words[0]}" if words and words[0] else ""
    kind, slash, name = words[0].partition("/") if words else ("", "", "")
    if not kind or "," in kind or operation in _KUBE_ELSEWHERE:
        return ""
    if operation in _KUBE_PODS:
        return f"{kind}/{name}" if slash else f"pods/{kind}"
    if operation in _KUBE_NODES:
        return f"nodes/{name or kind}" if len(words) == 1 else ""
    named = [word for word in words[1:] if "=" not in word]
    if slash:
        return "" if named else f"{kind}/{name}"
    return f"{kind}/{named[0]}" if len(named) == 1 else "" if named else kind


_KUBE_ELSEWHERE = wordset("apply replace config auth cp proxy")
_KUBE_NODES = wordset("cordon uncordon drain")
_KUBE_PODS = wordset("exec attach logs port-forward debug")


_HELM_VALUES = wordset(
    "-n --namespace --kube-context --kubeconfig -f --values --set --set-string --version --repo --timeout -o --output --registry-config"
)
_HELM_QUIET = wordset("version help completion lint template env search show create package")


def helm(call: Call) -> Iterator[Operation]:
    args = split(call.args, _HELM_VALUES)
    words = args.words()
    if not words or words[0] in _HELM_QUIET:
        return
    place = (args.value("--kube-context"), args.value("-n", "--namespace"))
    if words[0] == "push":
        yield made(
            call,
            Verb.PACKAGE_PUBLISH,
            TargetClass.PACKAGE_REGISTRY,
            "helm",
            words[1] if len(words) > 1 else "",
            certain=args.known,
        )
    elif words[0] in ("repo", "pull", "dependency", "registry", "plugin"):
        yield made(
            call,
            Verb.PACKAGE_INSTALL,
            TargetClass.PACKAGE_REGISTRY,
            "helm",
            words[-1] if len(words) > 1 else "",
            certain=args.known,
        )
    else:
        flags = [f"op={words[0]}"]
        if words[0] in ("uninstall", "delete", "rollback"):
            flags.append("destructive")
        flags += tried(args)
        yield made(call, Verb.CLUSTER_CALL, _CLUSTER, *place, flags, args.known)


_ARGO_VALUES = wordset(
    "--server --auth-token --grpc-web-root-path --argocd-context --config --core -o --output --revision --resource -l --selector --timeout -N "
    "--app-namespace --project --repo --path --dest-server --dest-namespace --dest-name -p --parameter --username --password --name --id -e --expires-in "
    "-a --account --header -H --retry-limit --kind --group --namespace --resource-name"
)
_ARGO_READS = wordset("get list diff history logs wait manifests resources get-resource can-i get-user-info")
_ARGO: dict[str, Verb] = {
    "app sync": Verb.CI_RUN,
    "app rollback": Verb.CI_RUN,
    "app actions": Verb.CI_RUN,
    "app terminate-op": Verb.CI_RUN,
    "account generate-token": Verb.CREDENTIAL_ISSUE,
    "account delete-token": Verb.CREDENTIAL_REVOKE,
    "proj role": Verb.GUARDRAIL_CHANGE,
}


def argocd(call: Call) -> Iterator[Operation]:
    """Argo CD: `argocd/` and the application, as its server's log names it; reading one changes nothing."""
    args = split(call.args, _ARGO_VALUES)
    words = args.words()
    if not words or words[0] in ("version", "help", "completion", "context", "logout"):
        return
    group, done = words[0], (words[1] if len(words) > 1 else "")
    if group in ("login", "relogin"):
        yield made(call, Verb.CREDENTIAL_ISSUE, TargetClass.CI_CD, "argocd", group)
        return
    named = words[-1] if len(words) > 2 and group in ("app", "appset") else ""
    other = Verb.GUARDRAIL_CHANGE if group == "proj" else Verb.CI_MODIFY
    reads = bool(_ARGO_READS.intersection(words[1:3] if group == "proj" else words[1:2]))
    verb = Verb.UNKNOWN if reads else _ARGO.get(f"{group} {done}", other)
    flags = ["read"] if reads else []
    flags += ["destructive"] if done in ("delete", "rm", "delete-resource") or args.has("--prune") else []
    flags += tried(args)
    yield made(call, verb, TargetClass.CI_CD, f"argocd/{named}" if named else "argocd", done, flags, args.known)


CLASSIFIERS: dict[str, Classifier] = {
    "argocd": argocd,
    "kubectl": kubectl,
    "oc": kubectl,
    "k3s": kubectl,
    "helm": helm,
}
