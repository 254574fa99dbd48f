"""What a cluster's own log shows of a kubectl command, and of which command it shows nothing."""

from __future__ import annotations

import pytest

from chains import MemoryIndex, attribute
from model.event import Event
from tests.chains_story import S1, call, effect, facts, ready, result, scope, verdict


def task_of(command: str, tool: str, target: str) -> str:
    seen = effect("e", 12, verb="cluster.call", point="kubernetes", target=target, tool=tool, who="dana@acme")
    story: list[Event] = [
        verdict("d", 1, scope(S1)),
        call(S1, "c1", 10, attrs={"command": command}),
        result(S1, "c1", 20),
        seen,
    ]
    index = MemoryIndex(ready(story))
    (answer,) = attribute([index.stubs[seen.id]], index, facts())
    return answer.task


@pytest.mark.parametrize(
    ("command", "tool", "target"),
    [
        ("kubectl -n pay get pods", "list pods", "cluster:pay@pods"),
        ("kubectl get po/web-1 -n pay", "get pods", "cluster:pay@pods/web-1"),
        ("kubectl --context prod -n pay delete pod web-1", "delete pods", "cluster:pay@pods/web-1"),
        ("oc -n pay rollout restart deployment.apps/queue", "patch deployments", "cluster:pay@deployments/queue"),
        ("kubectl -n pay scale deploy/queue --replicas=3", "patch deployments", "cluster:pay@deployments/queue/scale"),
        ("kubectl -n pay set image deploy/queue queue=acme/queue:2", "patch deployments", "cluster:pay@deployments/queue"),
        ("kubectl -n pay exec web-1 -- env", "create pods", "cluster:pay@pods/web-1/exec"),
        ("kubectl -n pay logs web-1", "get pods", "cluster:pay@pods/web-1/log"),
        ("tsh kubectl -n pay delete pod web-1", "DELETE pods", "cluster:pay@pods/web-1"),
        ("kubectl delete clusterrolebinding ci-admin", "delete clusterrolebindings", "cluster:@clusterrolebindings/ci-admin"),
        ("kubectl -n pay create deployment web --image=nginx", "create deployments", "cluster:pay@deployments/web"),
        ("kubectl -n pay create service clusterip web --tcp=80", "create services", "cluster:pay@services/web"),
        ("kubectl -n pay run web-1 --image=nginx", "create pods", "cluster:pay@pods/web-1"),
        ("kubectl -n pay create token deployer", "create serviceaccounts", "cluster:pay@serviceaccounts/deployer/token"),
        ("kubectl create ns pay", "create namespaces", "cluster:pay@namespaces/pay"),
        ("kubectl delete ns pay", "delete namespaces", "cluster:pay@namespaces/pay"),
        ("kubectl drain n1 --force", "patch nodes", "cluster:@nodes/n1"),
        ("kubectl -n web cordon node/n1", "patch nodes", "cluster:@nodes/n1"),
    ],
)
def test_the_api_server_shows_a_command(command: str, tool: str, target: str) -> None:
    assert task_of(command, tool, target)


@pytest.mark.parametrize(
    ("command", "tool", "target"),
    [
        ("kubectl -n pay get pods", "delete pods", "cluster:pay@pods/web-1"),
        ("kubectl -n pay get pod web-1", "delete pods", "cluster:pay@pods/web-1"),
        ("kubectl -n pay rollout status deploy/queue", "patch deployments", "cluster:pay@deployments/queue"),
        ("kubectl -n pay delete pod web-1", "delete pods", "cluster:pay@pods/web-2"),
        ("kubectl -n pay delete pod web-1", "delete pods", "cluster:web@pods/web-1"),
        ("kubectl delete pod web-1", "delete pods", "cluster:pay@pods/web-1"),
        ("kubectl delete clusterrolebinding ci-admin", "delete clusterrolebindings", "cluster:@clusterrolebindings/ops"),
        ("kubectl get nodes", "list nodes", "cluster:@nodes"),
        ("kubectl -n pay create -f web.yaml", "create deployments", "cluster:pay@deployments/web"),
        ("kubectl -n pay create deployment web --image=nginx", "create deployments", "cluster:pay@deployments/api"),
        ("kubectl delete ns pay", "delete pods", "cluster:pay@pods/web-1"),
        ("kubectl -n pay apply -f web.yaml", "patch deployments", "cluster:pay@deployments/queue"),
    ],
)
def test_another_thing_or_another_act_is_not_the_commands(command: str, tool: str, target: str) -> None:
    assert not task_of(command, tool, target)


def _seen(
    id: str, seconds: float, who: str = "dana@acme", point: str = "kubernetes", tool: str = "delete pods", **attrs: str
) -> Event:
    """What an API server logs of one pod."""
    target = "cluster:pay@pods/web-1"
    return effect(id, seconds, verb="cluster.call", point=point, target=target, tool=tool, who=who, attrs=attrs)


def _tasks(*seen: Event, command: str = "kubectl --context a -n pay delete pod web-1") -> list[bool]:
    """Of each record whether it stands in the task of a command that ran for two seconds."""
    story = [verdict("d", 1, scope(S1)), call(S1, "c1", 10, attrs={"command": command}), result(S1, "c1", 12), *seen]
    index = MemoryIndex(ready(story))
    return [bool(one.task) for one in attribute([index.stubs[e.id] for e in seen], index, facts())]


@pytest.mark.parametrize("tool", ["delete pods", "get pods"])
def test_what_the_same_person_does_after_the_command_is_not_the_commands(tool: str) -> None:
    assert _tasks(_seen("mine", 10.5), _seen("theirs", 40, tool=tool)) == [True, False]


def test_of_two_clusters_that_log_the_same_at_once_neither_is_the_commands() -> None:
    first = _seen("a", 10.5, point="kubernetes:a")
    assert _tasks(first, _seen("b", 11, point="kubernetes:b")) == [False, False]
    # Another one's act in another cluster, or what a proxy passed on, leaves no doubt.
    assert _tasks(first, _seen("b", 11, "lee@acme", "kubernetes:b")) == [True, False]
    assert _tasks(first, _seen("p", 10.4, point="teleport:a")) == [True, True]
    assert _tasks(first, _seen("b", 90, point="kubernetes:b")) == [True, False]


@pytest.mark.parametrize(
    ("agent", "joined"),
    [
        ("kubectl/v1.29.1 (linux/amd64)", True),
        ("", True),
        ("oc/4.15", True),
        ("kube-controller-manager/v1.29.1", False),
        ("k3s/v1.29", False),
        ("alloc/2", False),
    ],
)
def test_a_controller_that_looks_at_the_same_things_is_no_command(agent: str, joined: bool) -> None:
    seen = _seen("e", 10.5, tool="get pods", user_agent=agent)
    assert _tasks(seen, command="kubectl -n pay get pod web-1") == [joined]
