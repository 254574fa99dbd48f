"""What the tools of well-known MCP servers do: the operations inside a call that the protocol itself says nothing of.

Tool names are those of the servers for GitHub, GitLab, Bitbucket, Atlassian and Linear, of the reference servers for
files, fetching, Git and databases, and of shells and browsers. A server may be registered under any name, so the tool's
name and arguments speak; a tool nobody knows, or one that does not say what it acts on, has no operation.
"""

from __future__ import annotations

from importers.shared.fields import Json, first_text, mapping
from lang.names import host_name, repository_name
from lang.shell import parse
from model.event import Operation, Target
from model.words import TargetClass, Verb

COMMAND_LIMIT = 100_000
_TOOLS: dict[str, Verb] = {
    name: verb
    for verb, names in (
        (Verb.REPO_READ, "get_file_contents search_code list_commits get_commit list_branches list_tags get_tag get_repository_tree "
                         "get_file get_repository get_project list_repository_tree get_branch_commits pull_request_read "
                         "get_pull_request get_pull_request_files get_pull_request_diff get_merge_request get_merge_request_diffs"),
        (Verb.REPO_WRITE, "create_or_update_file push_files delete_file create_branch delete_branch create_repository "
                          "fork_repository create_commit update_file create_tag create_ref update_ref delete_repository"),
        (Verb.PR_OPEN, "create_pull_request create_merge_request create_pull_request_with_copilot"),
        (Verb.PR_MERGE, "merge_pull_request merge_merge_request accept_merge_request"),
        (Verb.CI_RUN, "run_workflow rerun_workflow_run rerun_failed_jobs create_pipeline retry_pipeline trigger_pipeline play_pipeline_job"),
        (Verb.TICKET_OPEN, "create_issue createJiraIssue jira_create_issue create_ticket create_work_item"),
        (Verb.TICKET_UPDATE, "update_issue add_issue_comment add_comment_to_issue editJiraIssue addCommentToJiraIssue "
                             "transitionJiraIssue jira_update_issue jira_add_comment jira_transition_issue update_ticket "
                             "create_issue_note update_work_item add_sub_issue"),
        (Verb.FILE_READ, "read_file read_text_file read_media_file"),
        (Verb.FILE_WRITE, "write_file edit_file create_directory move_file"),
        (Verb.HTTP_REQUEST, "fetch fetch_url browser_navigate navigate_page puppeteer_navigate playwright_navigate new_page"),
        (Verb.DB_QUERY, "query execute_sql run_query pg_query execute_query read_query write_query run_sql_query"),
        (Verb.EXEC, "execute_command run_command run_shell_command start_process run_terminal_cmd"),
        (Verb.SECRET_READ, "get_secret read_secret get_secret_value"),
    )
    for name in names.split()
}  # fmt: skip
_METHODS = {
    "issue_write": {"create": Verb.TICKET_OPEN, "update": Verb.TICKET_UPDATE},
    "actions_run_trigger": {"run_workflow": Verb.CI_RUN, "rerun_workflow_run": Verb.CI_RUN, "rerun_failed_jobs": Verb.CI_RUN},
}
"""Tools that do several things, told apart by their `method`."""

_REPOSITORY = frozenset({Verb.REPO_READ, Verb.REPO_WRITE, Verb.PR_OPEN, Verb.PR_MERGE, Verb.CI_RUN})
_TICKETS = (
    "issue_key",
    "issueKey",
    "issueIdOrKey",
    "issue_id",
    "issueId",
    "ticket",
    "ticket_id",
    "issue_number",
    "issue_iid",
    "id",
)
_DESTROYS = frozenset({"delete_repository", "delete_branch"})


def operations_of(tool: str, given: object) -> tuple[Operation, ...]:
    """The operations a call of this tool with these arguments holds; none where the tool or its target is not known."""
    args = mapping(given)
    verb = _METHODS[tool].get(first_text(args, "method")) if tool in _METHODS else _TOOLS.get(tool)
    if verb is None or not args:
        return ()
    if verb is Verb.EXEC:
        command = first_text(args, "command", "cmd")
        return parse(command).operations if command and len(command) <= COMMAND_LIMIT else ()
    target = _target(verb, args)
    if not target.name:
        return ()
    return (Operation(verb, target, text=tool, flags=("delete",) if tool in _DESTROYS else ()),)


def _target(verb: Verb, args: Json) -> Target:
    if verb in _REPOSITORY:
        detail = first_text(args, "branch", "head", "source_branch", "ref", "workflow_id")
        return Target(TargetClass.REPOSITORY, _repository(args), detail[:300])
    if verb is Verb.TICKET_OPEN:
        return Target(
            TargetClass.TICKETING, first_text(args, "projectKey", "project_key", "project", "team", "teamId") or _repository(args)
        )
    if verb is Verb.TICKET_UPDATE:
        name = first_text(args, *_TICKETS)
        within = _repository(args)
        return Target(TargetClass.TICKETING, f"{within}#{name}" if name.isdecimal() and within else name[:300])
    if verb in (Verb.FILE_READ, Verb.FILE_WRITE):
        return Target(TargetClass.FILESYSTEM, first_text(args, "path", "file_path", "destination")[:1000])
    if verb is Verb.HTTP_REQUEST:
        return Target(TargetClass.NETWORK, host_name(first_text(args, "url")))
    if verb is Verb.SECRET_READ:
        return Target(TargetClass.SECRET_STORE, first_text(args, "path", "name", "secret_id", "secretId", "secret_name")[:300])
    return Target(TargetClass.DATABASE, first_text(args, "database", "db", "connection", "project_id")[:300])


def _repository(args: Json) -> str:
    """`owner/name`, from whichever arguments state it."""
    owner, name = first_text(args, "owner", "workspace"), first_text(args, "repo", "repo_slug", "repository", "name")
    stated = (
        f"{owner}/{name}" if owner and name else first_text(args, "project_path", "project_id", "projectId", "full_name") or name
    )
    return repository_name(stated)[:300] if "/" in stated else ""
