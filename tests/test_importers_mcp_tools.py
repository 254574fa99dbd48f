"""What the tools of well-known MCP servers do beyond calling a server."""

from __future__ import annotations

import pytest

from importers.shared.mcp_tools import operations_of


@pytest.mark.parametrize(
    ("tool", "given", "seen"),
    [
        (
            "create_or_update_file",
            {"owner": "acme", "repo": "pay", "path": "a.py", "branch": "main"},
            ["repo.write acme/pay main"],
        ),
        ("get_file_contents", {"owner": "acme", "repo": "pay"}, ["repo.read acme/pay "]),
        ("merge_pull_request", {"owner": "acme", "repo": "pay", "pullNumber": 4}, ["pr.merge acme/pay "]),
        ("create_merge_request", {"project_id": "acme/pay", "source_branch": "fix"}, ["pr.open acme/pay fix"]),
        ("issue_write", {"owner": "acme", "repo": "pay", "method": "create"}, ["ticket.open acme/pay "]),
        ("add_issue_comment", {"owner": "acme", "repo": "pay", "issue_number": "7"}, ["ticket.update acme/pay#7 "]),
        ("transitionJiraIssue", {"issueIdOrKey": "PAY-7"}, ["ticket.update PAY-7 "]),
        ("write_file", {"path": "/srv/a"}, ["file.write /srv/a "]),
        ("fetch", {"url": "https://docs.example.com/x"}, ["http.request docs.example.com "]),
        ("execute_command", {"command": "cd x && git push origin main"}, ["repo.write  main"]),
        # What does not say on what, or is nobody's known tool, has no operation: the call itself stays unknown inside.
        ("push_files", {"branch": "main"}, []),
        ("issue_write", {"owner": "acme", "repo": "pay"}, []),
        ("create_or_update_file", {"repo": "pay"}, []),
        ("book_flight", {"owner": "acme", "repo": "pay"}, []),
        ("fetch", "https://docs.example.com", []),
    ],
)
def test_operations(tool: str, given: object, seen: list[str]) -> None:
    found = [f"{o.verb.value} {o.target.name} {o.target.detail}" for o in operations_of(tool, given)]
    assert [one for one in found if not one.startswith(("unknown", "file.read"))] == seen
