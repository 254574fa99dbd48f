"""One record of each format that the sample day has none of, with a mark wherever an importer takes words over.

`{secret}` stands where a secret is written in words, `{n}` where each record needs a value of its own.
"""

from __future__ import annotations

from typing import Any

RECORDS: dict[str, dict[str, Any]] = {
    "kubernetes": {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "auditID": "a-{n}", "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/pay/pods/api/exec?command={secret}", "verb": "create", "user": {"username": "dev@acme.example"},
        "objectRef": {"resource": "pods", "namespace": "pay", "name": "api", "subresource": "exec"}, "userAgent": "kubectl {secret}",
        "responseStatus": {"code": 403, "message": "refused: {secret}"}, "requestObject": {"command": ["sh", "-c", "{secret}"]},
        "stageTimestamp": "2026-03-17T10:00:00.000001Z", "annotations": {"authorization.k8s.io/reason": "{secret}"},
    },
    "gcp-audit": {
        "insertId": "i-{n}", "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "timestamp": "2026-03-17T10:00:00Z",
        "resource": {"labels": {"project_id": "p"}},
        "protoPayload": {"serviceName": "iam.googleapis.com", "methodName": "x.y", "resourceName": "projects/p/{secret}",
                         "authenticationInfo": {"principalEmail": "dev@acme.example"}, "status": {"code": 7, "message": "{secret}"},
                         "requestMetadata": {"callerSuppliedUserAgent": "{secret}"}, "request": {"note": "{secret}"}},
    },
    "teleport": {
        "event": "exec", "code": "T3002I", "uid": "u-{n}", "ei": 0, "time": "2026-03-17T10:00:00Z", "user": "dev", "sid": "s-{n}",
        "command": "{secret}", "error": "{secret}", "cluster_name": "acme", "user_agent": "{secret}",
    },
    "agentsh": {
        "id": "e-{n}", "timestamp": "2026-03-17T10:00:00Z", "type": "command_policy", "session_id": "s", "command_id": "c-{n}",
        "policy": {"decision": "deny", "effective_decision": "deny", "message": "{secret}"},
        "fields": {"command": "run", "args": ["{secret}"], "cwd": "{secret}"},
    },
    "agent-governance": {
        "allowed": False, "tool": "shell", "agent_did": "did:mesh:agent-{n}", "reason": "{secret}", "timestamp": "2026-03-17T10:00:00Z",
        "arguments": {"command": "{secret}", "url": "https://host.example/?{secret}"},
    },
    "nono": {
        "sequence": 0, "prev_chain": None, "leaf_hash": "ab" * 32, "chain_hash": "cd" * 32, "event_json": "{secret}",
        "event": {"type": "session_started", "started": "2026-03-17T10:00:00Z", "command": ["run-{n}", "{secret}"]},
    },
    "mcp": {
        "jsonrpc": "2.0", "id": "{n}", "method": "tools/call",
        "params": {"name": "shell", "arguments": {"command": "{secret}", "note": "{secret}", "url": "https://h.example/?{secret}"}},
    },
    "litellm": {
        "id": "c-{n}", "call_type": "acompletion", "startTime": "2026-03-17T10:00:00Z", "response_cost": 0, "cache_hit": None,
        "metadata": {"user_agent": "{secret}", "mcp_tool_call_metadata": {"name": "x", "arguments": {"command": "{secret}"}}},
        "guardrail_information": {"guardrail_name": "{secret}", "guardrail_status": "blocked"}, "messages": [{"content": "{secret}"}],
    },
    "bedrock": {
        "schemaType": "ModelInvocationLog", "timestamp": "2026-03-17T10:00:00Z", "requestId": "r-{n}", "operation": "InvokeModel",
        "identity": {"arn": "arn:aws:iam::1:user/x"}, "input": {"inputBodyJson": {"messages": [{"content": "{secret}"}]}},
        "output": {"outputBodyJson": {"stopReason": "guardrail_intervened",
                                      "amazon-bedrock-trace": {"guardrail": {"actionReason": "{secret}"}}}},
    },
    "cedar": {
        "timestamp": "2026-03-17T10:00:00Z", "request_id": "r-{n}", "principal": 'A::User::"dev"', "action": 'A::Action::"bash"',
        "resource": 'A::File::"f"', "context": {"command": "{secret}"}, "decision": "Deny",
        "diagnostics": {"reason": ["p"], "errors": ["{secret}"]},
    },
    "agentcore": {
        "resource_arn": "arn:aws:bedrock-agentcore:eu-west-1:1:gateway/g", "event_timestamp": 1773741600000, "request_id": "r-{n}",
        "body": {"log": "{secret}", "policy": {"decision": "DENY", "reason": "{secret}", "determiningPolicies": ["p"]}},
    },
    "assay": {
        "specversion": "1.0", "id": "e-{n}", "type": "assay.tool.decision", "source": "assay://a", "time": "2026-03-17T10:00:00Z",
        "data": {"tool": "shell", "decision": "deny", "reason": "{secret}", "tool_call_id": "t-{n}", "args": {"command": "{secret}"}},
    },
    "ocsf": {
        "class_uid": 1007, "activity_id": 1, "type_uid": 100701, "time": 1773741600000, "metadata": {"uid": "m-{n}"},
        "process": {"cmd_line": "{secret}"}, "policy_decision": "deny", "status_detail": "{secret}",
    },
}  # fmt: skip


def filled(value: Any, number: int, words: str) -> Any:
    """The record with its marks replaced, at any depth."""
    if isinstance(value, dict):
        return {name: filled(inner, number, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, number, words) for inner in value]
    if isinstance(value, str):
        return value.replace("{secret}", words).replace("{n}", str(number))
    return value
