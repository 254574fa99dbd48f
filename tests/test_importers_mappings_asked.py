"""What was only asked for in a directory or a cloud: it is told as neither done nor granted, and looking as no change."""

from __future__ import annotations

import pytest

from importers.mapping.file import built_in
from model.event import Event
from model.words import Effect, Tri, Verb

MAPPINGS = {one.id: one for one in built_in()}
AT = "2026-06-01T14:00:00Z"


def events(format: str, record: dict[str, object]) -> list[Event]:
    return MAPPINGS[format].open().read(record).events


def graph(method: str, path: str, status: int) -> Event:
    about = {"requestUri": f"https://graph.microsoft.com/v1.0{path}", "requestMethod": method, "responseStatusCode": status}
    return events("graph-activity", {"TimeGenerated": AT, "AppId": "a", "UserId": "u", "RequestId": "r"} | about)[-1]


def entra(activity: str, result: str) -> Event:
    record = {"id": "p1", "category": "RoleManagement", "correlationId": "c", "result": result, "activityDisplayName": activity}
    who = {"initiatedBy": {"user": {"userPrincipalName": "dana@acme.example"}}, "targetResources": []}
    return events("entra-audit", record | who | {"activityDateTime": AT})[-1]


@pytest.mark.parametrize(
    ("method", "path", "status", "verb", "done"),
    [
        ("POST", "/roleManagement/directory/roleAssignmentScheduleRequests", 201, Verb.GUARDRAIL_CHANGE, Tri.UNKNOWN),
        ("POST", "/roleManagement/directory/roleAssignmentScheduleRequests", 400, Verb.GUARDRAIL_CHANGE, Tri.NO),
        ("POST", "/roleManagement/directory/roleAssignments", 201, Verb.GUARDRAIL_CHANGE, Tri.YES),
        ("POST", "/identityGovernance/entitlementManagement/assignmentRequests", 201, Verb.CLOUD_CALL, Tri.UNKNOWN),
        ("POST", "/identity/conditionalAccess/evaluate", 200, Verb.CLOUD_CALL, Tri.YES),
        ("HEAD", "/policies/authorizationPolicy", 200, Verb.CLOUD_CALL, Tri.YES),
        ("PATCH", "/policies/authorizationPolicy", 204, Verb.GUARDRAIL_CHANGE, Tri.YES),
    ],
    ids=["role asked for", "asking failed", "role given", "access asked for", "what would be", "looked", "changed"],
)
def test_a_request_to_graph_for_a_role_is_no_role_given(method: str, path: str, status: int, verb: Verb, done: Tri) -> None:
    event = graph(method, path, status)
    assert event.outcome is not None
    assert (event.verb, event.outcome.effect) == (verb, done)


@pytest.mark.parametrize(("operation", "done"), [("roleAssignmentScheduleRequests", Tri.UNKNOWN), ("roleAssignments", Tri.YES)])
def test_a_role_asked_for_in_azure_is_given_by_an_operation_of_its_own(operation: str, done: Tri) -> None:
    record = {"category": "Administrative", "correlationId": "c", "resourceId": "/SUBSCRIPTIONS/S1", "resultType": "Success"}
    event = events("azure-activity", record | {"operationName": f"Microsoft.Authorization/{operation}/write", "time": AT})[-1]
    assert event.outcome is not None
    assert (event.verb, event.outcome.effect) == (Verb.GUARDRAIL_CHANGE, done)


@pytest.mark.parametrize(("result", "effect"), [("success", Effect.ALLOW), ("failure", Effect.UNKNOWN)])
def test_an_approval_in_entra_that_failed_allowed_nothing(result: str, effect: Effect) -> None:
    event = entra("Add member to role request approved (PIM activation)", result)
    assert event.decision is not None
    assert event.decision.effect is effect


def test_a_request_for_a_role_in_entra_that_expired_gave_none() -> None:
    event = entra("Add member to role request expired (PIM activation)", "success")
    assert event.outcome is not None
    assert event.outcome.effect is Tri.NO
