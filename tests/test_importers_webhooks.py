"""Webhook bodies of GitLab and Bitbucket: which repository, who, what, which commits; one host's body is never told as another's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from importers.bitbucket_webhook import IMPORTER as BITBUCKET
from importers.gitlab_webhook import IMPORTER as GITLAB
from model.event import BadRecord
from model.words import Clock, KeyRole, TargetClass, Tri, Verb
from tests.importer_checks import JSON, mutated, names, read, survives, whole

Record = dict[str, object]
HEAD, PARENT, GONE = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327", "0" * 40
PROJECT: Record = {"path_with_namespace": "Acme/Team/Pay", "web_url": "https://git.example/Acme/Team/Pay"}
PUSH: Record = {
    "object_kind": "push",
    "after": HEAD,
    "ref": "refs/heads/main",
    "user_username": "dana",
    "project_id": 15,
    "project": PROJECT,
    "repository": {"name": "Pay", "homepage": "https://git.example/Acme/Team/Pay"},
    "commits": [
        {"id": PARENT, "message": "first", "timestamp": "2026-06-01T12:00:00+02:00"},
        {"id": HEAD, "message": "last\n\nEntire-Checkpoint: 0a1b2c3d4e5f", "timestamp": "2026-06-01T12:01:00+02:00"},
    ],
}
ACTOR: Record = {"nickname": "dana", "type": "user"}
PLACE: Record = {"type": "repository", "full_name": "Acme/Pay"}
BB_PUSH: Record = {
    "actor": ACTOR,
    "repository": PLACE,
    "push": {
        "changes": [
            {"new": {"name": "main", "target": {"hash": HEAD, "date": "2026-06-01T10:00:00+00:00", "message": "fix"}},
             "commits": [{"hash": HEAD}, {"hash": PARENT}], "forced": False},
            {"new": None, "old": {"name": "old", "target": {"hash": PARENT}}, "forced": False},
        ]
    },
}  # fmt: skip


def merge(action: str, **more: object) -> Record:
    attributes = {"iid": 7, "source_branch": "fix", "state": "opened", "action": action, "title": "Fix",
                  "last_commit": {"id": HEAD}, "updated_at": "2026-06-01 10:00:00 UTC", "merge_commit_sha": PARENT}  # fmt: skip
    return {"object_kind": "merge_request", "user": {"username": "dana"}, "project": PROJECT,
            "object_attributes": attributes | more}  # fmt: skip


def pull(state: str = "OPEN", **beside: object) -> Record:
    inner = {"id": 6, "title": "Fix", "state": state, "author": {"nickname": "robin"}, "created_on": "2026-06-01T09:00:00+00:00",
             "updated_on": "2026-06-01T10:00:00+00:00", "merge_commit": {"hash": PARENT[:12]},
             "source": {"branch": {"name": "fix"}, "commit": {"hash": HEAD[:12]}}}  # fmt: skip
    return {"actor": ACTOR, "repository": PLACE, "pullrequest": inner} | beside


def server(event: str, **more: object) -> Record:
    return {"eventKey": event, "date": "2026-06-01T12:00:00+0200", "actor": {"name": "dana", "type": "NORMAL"}} | more


@pytest.mark.parametrize("record", [PUSH, {"body": PUSH, "headers": {}}, {"payload": json.dumps(PUSH)}])
def test_a_gitlab_push(record: Record) -> None:
    parsed, _ = whole(json.dumps(record), "gitlab-webhook")
    (event,) = parsed[0].events
    assert event.principal is not None
    assert event.outcome is not None
    assert (event.verb, event.target.name, event.target.detail) == (Verb.REPO_WRITE, "acme/team/pay", "main")
    assert (event.principal.name, event.at, event.outcome.effect) == ("dana", 1_780_308_060_000_000, Tri.YES)
    assert names(event, KeyRole.REFERENCE) == [f"commit:{HEAD}", f"commit:{PARENT}", "entire.checkpoint:0a1b2c3d4e5f"]
    assert event.text.startswith("last")
    assert "forced" not in event.attrs
    assert event.clock is Clock.ORDER_ONLY, "the time is that of its newest commit"


def test_a_branch_that_gitlab_deleted() -> None:
    (event,) = read(GITLAB, PUSH | {"after": GONE, "commits": []}).events
    assert (event.verb, event.text, event.attrs["forced"]) == (Verb.REPO_WRITE, "deleted main", True)
    assert (event.at, names(event, KeyRole.REFERENCE)) == (None, [])


@pytest.mark.parametrize(
    ("record", "verb", "commits"),
    [
        (merge("open"), Verb.PR_OPEN, [HEAD]),
        (merge("merge"), Verb.PR_MERGE, [HEAD, PARENT]),
        (merge("update", oldrev=PARENT), Verb.REPO_WRITE, [HEAD]),
        (merge("update"), Verb.UNKNOWN, [HEAD]),
        (merge("approved"), Verb.UNKNOWN, [HEAD]),
    ],
)
def test_gitlab_merge_requests(record: Record, verb: Verb, commits: list[str]) -> None:
    (event,) = read(GITLAB, record).events
    assert (event.verb, event.target.detail, event.at) == (verb, "fix", 1_780_308_000_000_000)
    assert names(event, KeyRole.REFERENCE) == ["pr:acme/team/pay#7", *(f"commit:{one}" for one in commits)]
    assert event.attrs.get("approver") == ("dana" if event.tool == "merge_request.approved" else None)


@pytest.mark.parametrize(
    ("body", "verb", "cls", "detail", "tool"),
    [
        ({"object_kind": "pipeline", "object_attributes": {"id": 31, "sha": HEAD, "status": "success", "name": "all"}},
         Verb.CI_RUN, TargetClass.CI_CD, "all", Tri.YES),
        ({"object_kind": "build", "pipeline_id": 31, "build_name": "test", "build_status": "failed", "sha": HEAD},
         Verb.CI_RUN, TargetClass.CI_CD, "test", Tri.NO),
        ({"object_kind": "build", "pipeline_id": 31, "build_name": "test", "build_status": "created", "sha": HEAD},
         Verb.CI_RUN, TargetClass.CI_CD, "test", Tri.UNKNOWN),
        ({"object_kind": "deployment", "environment": "prod", "status": "success", "commit_url": f"https://x/-/commit/{HEAD}"},
         Verb.CI_RUN, TargetClass.CI_CD, "prod", Tri.YES),
        ({"object_kind": "issue", "object_attributes": {"iid": 3, "action": "open", "state": "opened"}},
         Verb.TICKET_OPEN, TargetClass.TICKETING, "#3", Tri.UNKNOWN),
        ({"object_kind": "note", "object_attributes": {"noteable_type": "Issue"}, "issue": {"iid": 3}},
         Verb.TICKET_UPDATE, TargetClass.TICKETING, "#3", Tri.UNKNOWN),
        ({"object_kind": "note", "object_attributes": {"noteable_type": "MergeRequest"}, "merge_request": {"iid": 7}},
         Verb.UNKNOWN, TargetClass.REPOSITORY, "", Tri.UNKNOWN),
        ({"object_kind": "release", "tag": "v1", "name": "One", "action": "create"},
         Verb.REPO_WRITE, TargetClass.REPOSITORY, "v1", Tri.UNKNOWN),
    ],
)  # fmt: skip
def test_gitlab_kinds(body: Record, verb: Verb, cls: TargetClass, detail: str, tool: Tri) -> None:
    (event,) = read(GITLAB, {"project": PROJECT} | body).events
    assert event.outcome is not None
    assert (event.verb, event.target.cls, event.target.name, event.target.detail) == (verb, cls, "acme/team/pay", detail)
    assert event.outcome.tool is tool
    if body["object_kind"] in ("pipeline", "build"):
        assert names(event, KeyRole.SCOPE) == ["ci.job:gitlab-ci:acme/team/pay:31"]


def test_a_gitlab_pipeline_tells_what_began_it() -> None:
    made = {"id": 31, "sha": HEAD, "status": "success", "source": "schedule"}
    (event,) = read(GITLAB, {"project": PROJECT, "object_kind": "pipeline", "object_attributes": made}).events
    assert event.attrs["trigger"] == "schedule"


def test_a_gitlab_hook_of_another_kind_is_counted() -> None:
    assert read(GITLAB, {"event_name": "user_create"}).unknown_type == "webhook user_create"
    with pytest.raises(BadRecord, match="object_kind or event_name"):
        read(GITLAB, {"project": PROJECT})


def test_a_bitbucket_push_is_one_event_for_each_branch() -> None:
    parsed, _ = whole(json.dumps(BB_PUSH), "bitbucket-webhook")
    kept, gone = parsed[0].events
    assert (kept.verb, kept.target.name, kept.target.detail, kept.text) == (Verb.REPO_WRITE, "acme/pay", "main", "fix")
    assert names(kept, KeyRole.REFERENCE) == [f"commit:{HEAD}", f"commit:{PARENT}"]
    assert (gone.text, gone.attrs["forced"], "sha" in gone.attrs, "forced" in kept.attrs) == ("deleted old", True, False, False)
    assert kept.at == gone.at == 1_780_308_000_000_000
    assert kept.clock is gone.clock is Clock.ORDER_ONLY, "the time is that of the newest commit"


@pytest.mark.parametrize(
    ("record", "verb", "tool"),
    [
        (pull("MERGED"), Verb.PR_MERGE, "pullrequest:fulfilled"),
        (pull("DECLINED"), Verb.UNKNOWN, "pullrequest:rejected"),
        (pull(), Verb.UNKNOWN, "pullrequest"),
        (pull(approval={"date": "2026-06-01T10:00:00+00:00"}), Verb.UNKNOWN, "pullrequest:approved"),
        ({"body": pull(), "headers": {"X-Event-Key": "pullrequest:created"}}, Verb.PR_OPEN, "pullrequest:created"),
    ],
)
def test_bitbucket_pull_requests(record: Record, verb: Verb, tool: str) -> None:
    (event,) = read(BITBUCKET, record).events
    assert (event.verb, event.tool, event.target.name, event.at) == (verb, tool, "acme/pay", 1_780_308_000_000_000)
    merged = [f"commit:{PARENT[:12]}"] if verb is Verb.PR_MERGE else []
    assert names(event, KeyRole.REFERENCE) == ["pr:acme/pay#6", f"commit:{HEAD[:12]}", *merged]
    people = (event.attrs.get("approver"), event.attrs.get("requester"))
    assert people == (("dana", "robin") if tool == "pullrequest:approved" else (None, None))


def test_a_new_bitbucket_pull_request_is_told_by_its_times() -> None:
    record = pull()
    record["pullrequest"] = dict(record["pullrequest"], updated_on="2026-06-01T09:00:00.4+00:00")  # type: ignore[call-overload]
    assert read(BITBUCKET, record).events[0].verb is Verb.PR_OPEN


def test_bitbucket_data_center() -> None:
    place = {"slug": "pay", "project": {"key": "~Dana"}}
    change = {"ref": {"displayId": "fix"}, "fromHash": HEAD, "toHash": GONE, "type": "DELETE"}
    (gone,) = read(BITBUCKET, server("repo:refs_changed", repository=place, changes=[change])).events
    assert (gone.target.name, gone.target.detail, gone.text, gone.at) == (
        "~dana/pay",
        "fix",
        "deleted fix",
        1_780_308_000_000_000,
    )
    inner = {"id": 5, "state": "MERGED", "fromRef": {"displayId": "fix", "latestCommit": HEAD}, "toRef": {"repository": place},
             "properties": {"mergeCommit": {"id": PARENT}}, "author": {"user": {"name": "robin"}}}  # fmt: skip
    (merged,) = read(BITBUCKET, server("pr:merged", pullRequest=inner)).events
    assert (merged.verb, names(merged, KeyRole.REFERENCE)) == (
        Verb.PR_MERGE,
        ["pr:~dana/pay#5", f"commit:{HEAD}", f"commit:{PARENT}"],
    )
    (approved,) = read(BITBUCKET, server("pr:reviewer:approved", pullRequest=inner)).events
    assert (approved.verb, approved.attrs["approver"], approved.attrs["requester"]) == (Verb.UNKNOWN, "dana", "robin")
    assert read(BITBUCKET, server("repo:forked", repository=place)).unknown_type == "webhook repo:forked"
    with pytest.raises(BadRecord, match="push, pullrequest or eventKey"):
        read(BITBUCKET, {"actor": ACTOR})


@given(mutated([PUSH, merge("merge")]) | JSON)
def test_hostile_gitlab_bodies(record: object) -> None:
    survives(GITLAB, record)


@given(mutated([BB_PUSH, pull("MERGED"), server("pr:merged", pullRequest={"id": 1})]) | JSON)
def test_hostile_bitbucket_bodies(record: object) -> None:
    survives(BITBUCKET, record)


@pytest.mark.parametrize("body", [PUSH, BB_PUSH], ids=["gitlab", "bitbucket"])
@pytest.mark.parametrize(
    "around",
    [
        {"received_at": "2026-06-02T08:00:00Z"},
        {"timestamp": 1_780_387_200_000},
        {"requestContext": {"timeEpoch": 1_780_387_200_000}},
    ],
    ids=["receiver", "relay", "gateway"],
)
def test_a_push_that_was_kept_with_its_arrival_happened_then(body: Record, around: Record) -> None:
    importer = GITLAB if body is PUSH else BITBUCKET
    assert importer.open().read(around | {"headers": {}, "body": body}).events[0].at == 1_780_387_200_000_000


@pytest.mark.parametrize(
    ("status", "ran"), [("skipped", Tri.NO), ("manual", Tri.UNKNOWN), ("created", Tri.UNKNOWN), ("canceled", Tri.YES)]
)
def test_a_job_that_did_not_run_is_not_told_as_run(status: str, ran: Tri) -> None:
    body = {
        "object_kind": "build",
        "build_id": 3,
        "build_name": "deploy",
        "build_status": status,
        "pipeline_id": 31,
        "project": PROJECT,
    }
    (event,) = GITLAB.open().read(body).events
    assert event.outcome is not None
    assert event.outcome.effect is ran
