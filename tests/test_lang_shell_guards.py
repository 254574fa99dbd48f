"""Commands that take a guard away, and their like that leave it in place."""

from __future__ import annotations

import pytest

from lang.shell import parse
from model.words import Verb


@pytest.mark.parametrize(
    "command",
    [
        "sudo auditctl -e 0",
        "auditctl -D",
        "sudo systemctl disable --now falco.service",
        "service auditd stop",
        "pkill -f falco",
        "sudo setenforce 0",
        "ufw disable",
        "iptables -t nat -F",
        "pre-commit uninstall",
        "kubectl delete constrainttemplate k8srequiredlabels",
        "kubectl delete k8srequiredlabels.constraints.gatekeeper.sh/all",
        "kubectl -n pay delete netpol deny-all",
        "kubectl label ns pay pod-security.kubernetes.io/enforce=privileged --overwrite",
        "gcloud resource-manager org-policies disable-enforce iam.disableServiceAccountKeyCreation --project=p",
        "gcloud logging sinks delete siem",
        "az monitor diagnostic-settings delete --name d --resource r",
        "aws configservice stop-configuration-recorder --configuration-recorder-name d",
        "glab api -X DELETE projects/1/protected_branches/main",
        "git push -o secret_push_protection.skip_all origin x",
        "cursor-agent -p --force x",
        "git config --global --unset commit.gpgsign",
        "systemctl kill rsyslog",
        "pkill -9 auditd",
        "killall -u root auditd",
    ],
)
def test_what_takes_a_guard_away(command: str) -> None:
    assert Verb.GUARDRAIL_CHANGE in {o.verb for o in parse(command).operations}


@pytest.mark.parametrize(
    "command",
    [
        "auditctl -l",
        "auditctl -e 1",
        "auditctl -w /etc/passwd -p wa -k x",
        "systemctl restart auditd",
        "systemctl stop nginx",
        "systemctl status falco",
        "setenforce 1",
        "iptables -L",
        "ufw status",
        "pkill node",
        "pre-commit run",
        "kubectl get validatingwebhookconfigurations",
        "kubectl auth can-i delete validatingwebhookconfigurations",
        "kubectl label ns pay pod-security.kubernetes.io/enforce=restricted",
        "gcloud logging sinks list",
        "glab api projects/1/protected_branches",
        "git -c commit.gpgsign=true commit -m x",
        "git config --unset http.sslVerify",
        "systemctl kill -s HUP rsyslog.service",
        "killall -HUP auditd",
        "pkill -0 auditd",
        "ufw --dry-run disable",
        "nft -c flush ruleset",
        "git -c http.sslVerify=true fetch",
    ],
)
def test_what_leaves_every_guard_in_place(command: str) -> None:
    assert Verb.GUARDRAIL_CHANGE not in {o.verb for o in parse(command).operations}


@pytest.mark.parametrize(
    "command",
    [
        "aws cloudtrail stop-logging help",
        "kubectl delete netpol --help",
        "gcloud logging sinks delete --help",
        "az lock delete --help",
    ],
)
def test_what_is_asked_how_to_use_is_not_used(command: str) -> None:
    (told,) = parse(command).operations
    assert "dry-run" in told.flags


def test_another_folder_of_hooks_passes_none_by() -> None:
    flags = [parse(f"git -c core.hooksPath={where} commit -m x").operations[0].flags for where in (".githooks", "/dev/null")]
    assert ["bypass" in one for one in flags] == [False, True]
