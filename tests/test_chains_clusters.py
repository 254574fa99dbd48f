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
        ("kubectl -n pay apply -f web.yaml", "patch deployments", "cluster:pay@deployments/queue"),
    ],
)
def test_another_thing_or_another_act_is_not_the_commands(command: str, tool: str, target: str) -> None:
    assert not task_of(command, tool, target)
