"""What an agent's tool call does, as a decider sees it: tool names, action words and resources in their common spellings."""

from __future__ import annotations

import re
from functools import lru_cache

from importers.shared.api_calls import classify
from importers.shared.fields import TELLING, Json, arguments_digest, first_text, mapping, text
from lang.names import host_name, repository_name
from model.event import Attr, Target
from model.words import TargetClass, Verb

_PLAIN = re.compile(r"[\s:/_-]+")
_MCP = re.compile(r"^mcp__(.+?)__(.+)$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_TOOLS: dict[str, Verb] = {
    name: verb
    for verb, names in (
        (Verb.EXEC, "bash shell sh exec exec_command run_command run_shell_command execute_command execute terminal "
         "run_in_terminal run_command_in_terminal local_shell powershell process command run_terminal_cmd write_stdin "
         "execute_bash run_bash bash_command cmd_run run_terminal_command_v2 run_terminal_command read_bash write_bash stop_bash list_bash "
         "read_powershell write_powershell stop_powershell list_powershell execute_ipython_cell run_ipython ipython "
         "python tmux code_execution execute_code automation_script shell_command bash_output kill_shell bash_session "
         "control_bash_process control_pwsh_process execute_pwsh get_process_output list_processes open_cli_terminal "
         "read_terminal_output write_to_terminal get_terminal_output terminal_last_command run_build run_tests run_task "
         "create_and_run_task run_notebook_cell run_commands list_background_processes read_background_output launch_process read_process write_process kill_process"),
        (Verb.FILE_READ, "read read_file view cat open_file read_many_files glob grep ls list_directory list_files "
         "search_files notebook_read codebase_search file_read fs_read list list_dir list_dir_v2 find find_path rg lsp "
         "search_file_content grep_search read_file_v2 file_search glob_file_search ripgrep_raw_search semantic_search "
         "list_code_definition_names read_lints diagnostics file_glob show_file text_file tree image_processor vision "
         "code_search semantic_search_full analyze read_image view_image view_file open search_dir search_file "
         "find_file read_notebook read_lints_v2 get_diagnostics read_code read_multiple_files get_file get_errors get_changed_files "
         "list_code_usages test_search get_files_in_project get_projects_in_solution finder look_at sem_search memory_search memory_get "
         "read_files search_codebase codebase_retrieval"),
        (Verb.FILE_WRITE, "write write_file write_code save_file edit multi_edit apply_patch create_file str_replace str_replace_editor "
         "str_replace_based_edit_tool replace notebook_edit edit_file patch file_write fs_write insert_edit_into_file replace_string_in_file multi_replace_string_in_file edit_notebook_file "
         "multiedit create write_to_file replace_in_file apply_diff insert_content search_and_replace search_replace "
         "edit_file_v2 edit_notebook text_editor save append morph insert edit_lines file_editor generate_image new_rule "
         "create_directory move_file move_path copy_path rename_file fs_append edit_code semantic_rename smart_relocate undo_edit "
         "format_file editor"),
        (Verb.FILE_DELETE, "delete delete_file remove_file remove_files rm file_delete delete_path"),
        (Verb.HTTP_REQUEST, "web_fetch fetch http_request http curl url_fetch browse fetch_webpage web_search "
         "google_web_search webfetch websearch codesearch fetch_url browser browser_action browse_interactive web_scrape "
         "web_browser_go web_browser_click web_browser_type web_browser_type_submit web_browser_scroll "
         "web_browser_back web_browser_forward web_browser_refresh read_url browser_navigate screenshot_url navigate search_web browse_url "
         "remote_web_search read_web_page browser_click browser_type browser_get_state browser_get_content browser_scroll "
         "browser_get_storage browser_set_storage browser_start_recording browser_stop_recording browser_go_back browser_list_tabs browser_switch_tab browser_close_tab fetch_web_content"),
        (Verb.AGENT_SPAWN, "task agent spawn_agent spawn_subagent dispatch_agent launch_agent delegate subagent run_subagent use_subagent use_subagents invoke_agent "
         "delegate_to_agent codebase_investigator new_task create_task dynamic_task start_subagent task_v2 invoke_sub_agent "
         "sessions_spawn generalist browser_agent spawn_agents_on_csv oracle librarian agent_crew start_child_conversation team_spawn_teammate"),
        (Verb.AGENT_MESSAGE, "send_message message_agent send_input todo_write todo_read write_todos todowrite todoread "
         "update_todo_list update_todo todo_list todo update_plan task_tracker ask_user ask_followup_question question "
         "ask_user_question task_create task_get task_list task_update task_output "
         "ask ask_question user_prompt report_intent think thinking finish complete_task attempt_completion submit plan_exit "
         "plan_enter enter_plan_mode exit_plan_mode plan_mode_respond plan_mode_response act_mode_respond condense "
         "summarize_task switch_mode skill use_skill load_skill activate_skill fetch_instructions use_instructions "
         "run_slash_command load_mcp_documentation get_internal_docs cli_help introspect report_issue report_bug new_chat "
         "update_topic mark_task_complete task_complete list_agents read_agent write_agent create_plan complete choice form clarify final_output "
         "fetch_copilot_cli_documentation sessions_send sessions_list sessions_history session_status recall read_todos slash_command "
         "knowledge task_status user_input exit_spec_mode update_todos get_mcp_tools get_dynamic_tools await reflect session_management "
         "ask_oracle tom_consult invoke_skill skills submit_and_exit team_send_message team_broadcast team_run_task team_task "
         "team_status team_read_mailbox team_mission_log tracker_create_task tracker_update_task tracker_get_task tracker_list_tasks "
         "tracker_add_dependency tracker_visualize subagents agents_list vote_memory tool_search"),
        (Verb.INSTRUCTIONS_WRITE, "save_memory store_memory remember_memory update_memory create_memory write_memory memory"),
        (Verb.REPO_WRITE, "git_push push_files create_branch create_or_update_file delete_branch push"),
        (Verb.REPO_READ, "git_clone git_fetch git_pull get_file_contents clone"),
        (Verb.PR_OPEN, "create_pull_request open_pull_request open_pr create_pr create_merge_request"),
        (Verb.PR_MERGE, "merge_pull_request merge_pr merge_merge_request"),
        (Verb.REPO_MERGE, "merge git_merge"),
        (Verb.SECRET_READ, "read_secret get_secret get_secret_value vault_read secret_get"),
        (Verb.SECRET_WRITE, "write_secret put_secret set_secret vault_write"),
        (Verb.CREDENTIAL_ISSUE, "issue_token issue_credential mint_token assume_role create_token request_credential"),
        (Verb.CREDENTIAL_REVOKE, "revoke_token revoke_credential"),
        (Verb.CI_RUN, "run_workflow run_pipeline trigger_build deploy run_deploy start_build"),
        (Verb.TICKET_OPEN, "create_issue create_ticket open_ticket"),
        (Verb.TICKET_UPDATE, "update_issue update_ticket add_comment comment_issue"),
        (Verb.DB_QUERY, "query sql session_store_sql execute_sql run_query db_query"),
        (Verb.PACKAGE_INSTALL, "install_package npm_install pip_install"),
        (Verb.PACKAGE_PUBLISH, "publish_package npm_publish"),
        (Verb.CLUSTER_CALL, "kubectl kubectl_apply helm"),
        (Verb.CLOUD_CALL, "aws gcloud az call_aws use_aws"),
    )
    for name in names.split()
}  # fmt: skip
_VERBS = {verb.value: verb for verb in Verb}
_CLASSES: dict[str, TargetClass] = {
    name: cls
    for cls, names in (
        (TargetClass.REPOSITORY, "repository repo git branch project pull_request pr"),
        (TargetClass.SECRET_STORE, "secret_store secret secrets vault credential"),
        (TargetClass.PACKAGE_REGISTRY, "package_registry package registry"),
        (TargetClass.CI_CD, "ci_cd ci pipeline workflow build job deployment_pipeline"),
        (TargetClass.TICKETING, "ticketing ticket issue"),
        (TargetClass.CLOUD, "cloud aws gcp azure account bucket s3 instance function"),
        (TargetClass.CLUSTER, "cluster kubernetes k8s namespace pod deployment service_account"),
        (TargetClass.DATABASE, "database db table schema sql"),
        (TargetClass.FILESYSTEM, "filesystem file path directory folder"),
        (TargetClass.NETWORK, "network host url domain endpoint http"),
        (TargetClass.AGENT, "agent subagent"),
        (TargetClass.MCP_SERVER, "mcp_server mcp server tool"),
    )
    for name in names.split()
}
_OF_VERB = {
    "file": TargetClass.FILESYSTEM, "repo": TargetClass.REPOSITORY, "pr": TargetClass.REPOSITORY,
    "secret": TargetClass.SECRET_STORE, "package": TargetClass.PACKAGE_REGISTRY, "credential": TargetClass.SECRET_STORE,
    "cloud": TargetClass.CLOUD, "cluster": TargetClass.CLUSTER, "ci": TargetClass.CI_CD, "ticket": TargetClass.TICKETING,
    "db": TargetClass.DATABASE, "agent": TargetClass.AGENT, "net": TargetClass.NETWORK, "http": TargetClass.NETWORK,
    "mcp": TargetClass.MCP_SERVER, "instructions": TargetClass.AGENT,
}  # fmt: skip
_ON: dict[tuple[Verb, TargetClass], Verb] = {
    (Verb.FILE_READ, TargetClass.REPOSITORY): Verb.REPO_READ,
    (Verb.FILE_WRITE, TargetClass.REPOSITORY): Verb.REPO_WRITE,
    (Verb.FILE_READ, TargetClass.SECRET_STORE): Verb.SECRET_READ,
    (Verb.FILE_WRITE, TargetClass.SECRET_STORE): Verb.SECRET_WRITE,
    (Verb.FILE_DELETE, TargetClass.REPOSITORY): Verb.REPO_WRITE,
    (Verb.FILE_DELETE, TargetClass.SECRET_STORE): Verb.SECRET_WRITE,
    (Verb.FILE_READ, TargetClass.TICKETING): Verb.UNKNOWN,
    (Verb.FILE_WRITE, TargetClass.TICKETING): Verb.TICKET_UPDATE,
    (Verb.FILE_DELETE, TargetClass.TICKETING): Verb.TICKET_UPDATE,
    (Verb.FILE_READ, TargetClass.CI_CD): Verb.UNKNOWN,
    (Verb.FILE_WRITE, TargetClass.CI_CD): Verb.CI_MODIFY,
    (Verb.FILE_DELETE, TargetClass.CI_CD): Verb.CI_MODIFY,
} | {
    (done, cls): verb
    for done in (Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE)
    for cls, verb in (
        (TargetClass.CLOUD, Verb.CLOUD_CALL), (TargetClass.CLUSTER, Verb.CLUSTER_CALL), (TargetClass.DATABASE, Verb.DB_QUERY),
    )
}  # fmt: skip
"""What an action word such as `read` means on a resource that is no file."""
_FILES = frozenset({Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE})
_KIND = ("class", "type", "kind", "resource_type", "resourceType")
_PLACES = ("/", "./", "../", "~", "file:")
_COMMANDS = ("command", "cmd", "script", "commandLine", "command_line", "shell_command")
_PATHS = ("file_path", "path", "filePath", "filename", "notebook_path", "absolute_path", "target_file", "file")
_URLS = ("url", "uri", "href", "endpoint")


def tool_call(tool: str, action: str, arguments: object, resource: object) -> tuple[Verb, Target, dict[str, Attr]]:
    """Verb, target and the telling arguments of a call; `unknown` where neither tool nor action says anything known."""
    attrs: dict[str, Attr] = {}
    args = mapping(arguments)
    if command := _command(arguments, args):
        attrs["command"] = command
    if path := first_text(args, *_PATHS):
        attrs["path"] = path
    if url := first_text(args, *_URLS):
        attrs["url"] = url
    server = ""
    if m := _MCP.match(tool):
        server, inner = m.groups()
        verb = Verb.MCP_CALL
        attrs["mcp_server"] = server
        target = Target(TargetClass.MCP_SERVER, server, inner)
    else:
        verb = _said(action) or _named(tool) or (Verb.EXEC if command else Verb.UNKNOWN)
        target = Target()
    if verb is Verb.HTTP_REQUEST and url:
        return *_request(first_text(args, "method") or "GET", url), attrs
    stated = resource_target(resource, verb)
    if _said(action) in _FILES and _of_no_known_kind(resource) and not stated.name.startswith(_PLACES):
        # `delete` on an album or a leave request is no file's: what it does there is not known.
        return (
            Verb.UNKNOWN,
            Target(TargetClass.UNKNOWN, stated.name, stated.detail or first_text(mapping(resource), *_KIND)),
            attrs,
        )
    if stated.name or stated.detail or stated.cls is not TargetClass.UNKNOWN:
        return (_on(action, verb, stated.cls) if _said(action) else verb), stated, attrs
    if verb in _FILES and path:
        target = Target(TargetClass.FILESYSTEM, path)
    elif not server:
        target = _argued(verb, args) or target
    if not any(attrs.get(name) for name in TELLING) and (digest := arguments_digest(arguments)):
        attrs["arguments"] = digest
    return verb, target, attrs


def _on(action: str, verb: Verb, cls: TargetClass) -> Verb:
    """What an action word means on a resource of this kind; to create a ticket is to open it."""
    if cls is TargetClass.TICKETING and verb is Verb.FILE_WRITE and _plain(action) == "create":
        return Verb.TICKET_OPEN
    return _ON.get((verb, cls), verb)


def _of_no_known_kind(resource: object) -> bool:
    kind = first_text(resource, *_KIND) if isinstance(resource, dict) else ""
    return bool(kind) and _plain(kind) not in _CLASSES


def tool_verb(tool: str) -> Verb | None:
    """The verb a tool's name means, None where nobody knows it."""
    return _named(tool)


def command_line(arguments: object) -> str:
    """The shell command that a call's arguments hold, as one line of text; "" if there is none."""
    return _command(arguments, mapping(arguments))


def _command(arguments: object, args: Json) -> str:
    for name in _COMMANDS:
        value = args.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
            return _joined(value)
    if isinstance(arguments, str):
        return arguments
    if isinstance(arguments, list) and arguments and all(isinstance(part, str) for part in arguments):
        return _joined(arguments)
    return ""


def _joined(argv: list[str]) -> str:
    """An argument vector as a command line; the script of `bash -lc` stands for itself."""
    if len(argv) == 3 and argv[0].rsplit("/", 1)[-1] in ("bash", "sh", "zsh") and argv[1].startswith("-") and "c" in argv[1]:
        return argv[2]
    return " ".join(
        part if part and re.fullmatch(r"[\w@%+=:,./-]+", part) else "'" + part.replace("'", "'\\''") + "'" for part in argv
    )


def _plain(word: str) -> str:
    return _PLAIN.sub("_", _CAMEL.sub("_", word).strip().lower())


@lru_cache(maxsize=4096)
def _said(action: str) -> Verb | None:
    """The verb an action word means; our own words in any punctuation are taken as they stand."""
    if not action or len(action) > 100:
        return None
    word = _plain(action)
    return _VERBS.get(word.replace("_", ".")) or _VERBS.get(word.replace("_", ".", 1)) or _VERBS.get(action) or _TOOLS.get(word)


@lru_cache(maxsize=4096)
def _named(tool: str) -> Verb | None:
    return _said(tool.rpartition("__")[2].rpartition(".")[2] or tool) or _VERBS.get(tool) if tool else None


def _request(method: str, url: str) -> tuple[Verb, Target]:
    host = host_name(url)
    path = "/" + url.partition("://")[2].partition("/")[2] if "://" in url else url
    return classify(method, host, path)


def _argued(verb: Verb, args: Json) -> Target | None:
    """A target that the arguments name where no resource is stated."""
    cls = _OF_VERB.get(verb.value.partition(".")[0])
    if cls is TargetClass.REPOSITORY:
        owner, name = first_text(args, "owner", "org"), first_text(args, "repo", "repository", "remote", "project")
        full = name if "/" in name or ":" in name else f"{owner}/{name}" if owner and name else ""
        return Target(cls, repository_name(full) or name, first_text(args, "branch", "ref", "head")) if name else None
    if cls is None or cls is TargetClass.FILESYSTEM:
        return None
    names = first_text(
        args, "name", "id", "path", "key", "secret_id", "secret", "package", "cluster", "database", "workflow", "role_arn"
    )
    return Target(cls, names) if names else None


def resource_target(resource: object, verb: Verb) -> Target:
    """A resource given as a text (`repo:acme/pay`, an address, a path) or as an object {type, name, ...}."""
    natural = _OF_VERB.get(verb.value.partition(".")[0], TargetClass.UNKNOWN)
    if isinstance(resource, dict):
        kind = first_text(resource, *_KIND)
        cls = _CLASSES.get(_plain(kind), natural)
        name = first_text(resource, "name", "id", "full_name", "path", "uri", "url", "arn", "repository", "repo", "host", "key")
        more = first_text(resource, "detail", "branch", "ref", "key", "field", "sub_resource")
        # What kind of thing it is, where none of ours: it stands nowhere else.
        return _target(cls, name, more or (kind if cls is TargetClass.UNKNOWN else ""))
    value = text(resource)
    if not value:
        return Target()
    for mark in (":", "/"):
        head, found, rest = value.partition(mark)
        if found and rest and not rest.startswith("//") and (cls_ := _CLASSES.get(_plain(head))) and head.lower() != "secret":
            return _target(cls_, rest, "")
    if "://" in value and natural is TargetClass.UNKNOWN:
        natural = TargetClass.NETWORK
    return _target(natural, value, "")


def _target(cls: TargetClass, name: str, detail: str) -> Target:
    if cls is TargetClass.REPOSITORY:
        return Target(cls, repository_name(name) or name, detail)
    if cls is TargetClass.NETWORK and "://" in name:
        return Target(cls, host_name(name), detail or "/" + name.partition("://")[2].partition("/")[2])
    return Target(cls, name, detail)
