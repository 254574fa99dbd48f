"""Commands that take away what watches or limits: the machine's own guards, and what clouds and clusters keep for it.

The names are those by which the targets' own logs tell of the same; what merely looks, starts or adds is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lang.shell_calls import Call, wordset
from lang.shell_ops import Args, Classifier, made, split
from model.event import Operation
from model.words import TargetClass, Verb

AWS = frozenset(
    [
        *("cloudtrail stop-logging", "cloudtrail delete-trail", "cloudtrail delete-event-data-store"),
        *(
            "guardduty delete-detector",
            "guardduty stop-monitoring-members",
            "macie2 disable-macie",
            "accessanalyzer delete-analyzer",
        ),
        *("configservice stop-configuration-recorder", "configservice delete-configuration-recorder"),
        *("configservice delete-delivery-channel", "configservice delete-config-rule"),
        *("securityhub disable-security-hub", "securityhub batch-disable-standards", "bedrock delete-guardrail"),
        *("iam delete-role-permissions-boundary", "iam delete-user-permissions-boundary", "iam delete-account-password-policy"),
        *("iam deactivate-mfa-device", "organizations leave-organization", "organizations disable-policy-type"),
        *("ec2 delete-flow-logs", "ec2 disable-ebs-encryption-by-default", "s3api delete-public-access-block"),
        *("s3control delete-public-access-block", "wafv2 delete-web-acl", "wafv2 disassociate-web-acl"),
        *("verifiedpermissions delete-policy", "verifiedpermissions delete-policy-store"),
    ]
)
GCLOUD = frozenset(
    [
        *("logging sinks delete", "logging buckets delete", "logging logs delete", "org-policies delete", "org-policies reset"),
        *("resource-manager org-policies delete", "resource-manager org-policies disable-enforce"),
        *("access-context-manager perimeters delete", "access-context-manager levels delete", "monitoring policies delete"),
        *("container binauthz attestors delete", "model-armor templates delete"),
    ]
)
AZURE = frozenset(
    [
        *("monitor diagnostic-settings delete", "policy assignment delete", "policy exemption create", "lock delete"),
        *("group lock delete", "resource lock delete", "account lock delete"),
    ]
)
_KUBE_GUARDS = (
    *("validatingwebhookconfiguration", "mutatingwebhookconfiguration", "validatingadmissionpolic", "mutatingadmissionpolic"),
    *("podsecuritypolic", "networkpolic", "constrainttemplate", "clusterpolic"),
)
_KUBE_SHORT = wordset("netpol psp cpol")
_POD_SECURITY = "pod-security.kubernetes.io/enforce"
_SERVICES = wordset(
    "auditd apparmor falco falco-modern-bpf falco-kmod falco-bpf osqueryd tetragon sysmon tracee wazuh-agent auditbeat "
    "elastic-agent falcon-sensor mdatp crowdsec fail2ban ufw firewalld nftables iptables rsyslog syslog-ng systemd-journald"
)
_STOPS = wordset("stop disable mask kill")


def kube_guard(operation: str, words: list[str]) -> bool:
    """Whether a `kubectl` call, given by its operands from the kind on, takes away a guard of the cluster."""
    if operation == "delete" and words:
        stated, dot, group = words[0].partition("/")[0].casefold().partition(".")
        constraint = bool(dot) and group.startswith("constraints.gatekeeper.sh")
        return constraint or stated in _KUBE_SHORT or stated.startswith(_KUBE_GUARDS)
    return operation == "label" and any(
        word == f"{_POD_SECURITY}-" or word == f"{_POD_SECURITY}=privileged" or word.startswith("admission.gatekeeper.sh/ignore=")
        for word in words
    )


def _made(call: Call, what: str, args: Args) -> Operation:
    return made(call, Verb.GUARDRAIL_CHANGE, TargetClass.UNKNOWN, "", what, certain=args.known)


def services(call: Call) -> Iterator[Operation]:
    """A service that watches the machine or filters what comes and goes, stopped by systemctl or service."""
    args = split(call.args, wordset("-H --host -M --machine -t --type -s --signal"))
    words = args.words() if _stops(args) or args.words()[:1] != ["kill"] else []
    named = words[1:] if words[:1] and words[0] in _STOPS else words[:1] if words[1:2] == ["stop"] else []
    for name in dict.fromkeys(word.removesuffix(".service") for word in named):
        if name in _SERVICES:
            yield _made(call, name, args)


_SPARES = re.compile(r"^(?:SIG)?(?:0|1|10|12|23|28|HUP|USR[12]|URG|WINCH|CONT|18)$", re.I)
"""Signals that ask a service to read its settings or open its logs again, or merely whether it is there."""


def _stops(args: Args) -> bool:
    """Whether the signal that is sent, the usual one where none is named, ends what it is sent to."""
    sent = [*args.values("-s", "--signal"), *(option[1:] for option, value in args.options if value is None)]
    return not any(_SPARES.match(one) for one in sent)


def killed(call: Call) -> Iterator[Operation]:
    args = split(call.args, wordset("-s --signal -u --user -U -t -g -G -P"))
    yield made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name)
    for name in args.words() if _stops(args) else ():
        if name in _SERVICES:
            yield _made(call, name, args)


def guard(call: Call) -> Iterator[Operation]:
    """The programs by which the kernel's audit, mandatory access control and packet filters are told to let go."""
    args = split(call.args, _VALUED.get(call.name, frozenset()))
    words = args.words()
    if _LETS_GO[call.name](args, words) and not args.has("--help", *_ONLY_TRIES.get(call.name, ())):
        yield _made(call, call.name, args)
    else:
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name)


_VALUED = {
    "auditctl": wordset("-e -f -b -r -a -A -d -F -k -S -w -W -p -R"),
    "iptables": wordset("-t -j -s -p -m -i -o --dport --sport -A -D -I"),
    "ip6tables": wordset("-t -j -s -p -m -i -o --dport --sport -A -D -I"),
}
_ONLY_TRIES = {"ufw": ("--dry-run",), "nft": ("-c", "--check")}
_LETS_GO: dict[str, Callable[[Args, list[str]], bool]] = {
    "auditctl": lambda args, words: args.value("-e") == "0" or args.has("-D") or bool(args.values("-d", "-W")),
    "setenforce": lambda args, words: words[:1] == ["0"] or [w.casefold() for w in words[:1]] == ["permissive"],
    "ufw": lambda args, words: words[:1] in (["disable"], ["reset"]) or words[:2] == ["default", "allow"],
    "iptables": lambda args, words: args.has("-F", "--flush"),
    "ip6tables": lambda args, words: args.has("-F", "--flush"),
    "nft": lambda args, words: words[:2] == ["flush", "ruleset"],
    "aa-disable": lambda args, words: bool(words),
    "aa-complain": lambda args, words: bool(words),
    "aa-teardown": lambda args, words: True,
    "pre-commit": lambda args, words: words[:1] == ["uninstall"],
    "lefthook": lambda args, words: words[:1] == ["uninstall"],
}

CLASSIFIERS: dict[str, Classifier] = {
    **dict.fromkeys(_LETS_GO, guard),
    **dict.fromkeys(("pkill", "killall"), killed),
}
