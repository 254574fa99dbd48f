"""The allow and deny lists of Copilot CLI and Cursor: what is published of them, and what they leave open."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from model.words import Effect
from policy.agents import adapter_of
from policy.agents.base import AgentPolicy, Call, RuleFile
from policy.agents.listed import path_fits

PROJECT, HOME = "/home/dana/app", "/home/dana"
ALLOW, ASK, DENY, OPEN = Effect.ALLOW, Effect.ASK, Effect.DENY, Effect.UNKNOWN


def call(tool: str, given: Mapping[str, object], *, mode: str = "", interactive: bool | None = True, server: str = "") -> Call:
    return Call(tool, dict(given), cwd=PROJECT, project=PROJECT, home=HOME, mode=mode, interactive=interactive, mcp_server=server)


def copilot(*files: str | dict[str, object]) -> AgentPolicy:
    made = [
        RuleFile("flags", f"run{n}.sh", one) if isinstance(one, str) else RuleFile("user", f"{n}.json", json.dumps(one))
        for n, one in enumerate(files)
    ]
    return adapter_of("copilot-cli").load(made)


def cursor(allow: list[str], deny: list[str], *more: dict[str, object], **rest: object) -> AgentPolicy:
    files = [{"permissions": {"allow": allow, "deny": deny}, **rest}, *more]
    made = [RuleFile("global" if not n else "project", f"cli{n}.json", json.dumps(one)) for n, one in enumerate(files)]
    return adapter_of("cursor").load(made)


@pytest.mark.parametrize(
    ("options", "command", "effect"),
    [
        # What was measured of the program without anybody to ask, and is published.
        ("-p x", "node x.mjs a", DENY),
        ("-p x --allow-tool='shell(node)'", "node x.mjs a", ALLOW),
        ("-p x --allow-tool 'shell(node:*)'", "node x.mjs a", ALLOW),
        ("-p x --allow-tool='shell(node x.mjs:*)'", "node x.mjs a", DENY),
        ("-p x --allow-tool='shell(node *)'", "node x.mjs a", DENY),
        ("-p x --allow-tool='shell(node)'", '"./shim" a', DENY),
        ("-p x --allow-tool='shell(./shim)'", '"./shim" a', DENY),
        ("-p x --allow-tool='shell(\"./shim\")'", '"./shim" a', ALLOW),
        ("-p x --allow-tool='Bash(./shim *)'", "./shim a", DENY),
        ("-p x --allow-tool='shell(node)'", "node a && node b", ALLOW),
        ("-p x --allow-tool='shell(node)'", "node a && touch z", DENY),
        ("-p x --allow-tool='shell(node)'", "cd src && node a | cat", ALLOW),
        ("-p x --allow-tool='shell(node)'", "node a > out.txt", DENY),
        ("-p x --allow-tool='shell(node)'", "node a 2>&1 >/dev/null", ALLOW),
        ("-p x --allow-tool='shell(node)'", "node a <<'E'\ntouch z\nE", ALLOW),
        ("-p x --allow-tool='shell(node)'", "node a `echo hi`", DENY),
        ("-p x --allow-tool='shell(node)'", 'node "$(date +%s)"', ALLOW),
        ("-p x --allow-tool=shell(node) --deny-tool=shell(node)", "node a", DENY),
        # What the documentation says.
        ("--allow-tool 'shell(git:*)' --deny-tool 'shell(git push)'", "git push --force", DENY),
        ("--allow-tool 'shell(git:*)'", "git commit -m x", ALLOW),
        ("--allow-tool 'shell(git:*)'", "gitea x", ASK),
        ("--allow-all-tools --deny-tool 'shell(rm)'", "rm -rf build", DENY),
        ("--yolo", "curl https://a.example > /etc/x", ALLOW),
        ("--allow-all-tools --excluded-tools bash", "ls", DENY),
        ("--allow-tool=shell", "curl https://a.example/x", ASK),
        ("--allow-tool='shell,url(a.example)'", "curl https://a.example/x", ALLOW),
        ("--allow-tool='shell,url(a.example)'", "curl http://a.example/x", ASK),
        ("--allow-tool=shell --allow-url=https://*.b.example", "curl https://a.b.example", ALLOW),
        ("--allow-tool=shell", "cat ../other/notes", ASK),
        ("--allow-tool=shell --add-dir /home/dana/other", "cat ../other/notes", ALLOW),
        # What nothing published tells.
        ("--allow-tool='shell(npm run build)'", "npm run build", OPEN),
        ("-p x", "uniq names", OPEN),
    ],
)
def test_copilot_cli_commands(options: str, command: str, effect: Effect) -> None:
    interactive = None if options.startswith("-p") else True
    assert copilot(f"copilot {options}").judge(call("bash", {"command": command}, interactive=interactive)).effect is effect


@pytest.mark.parametrize(
    ("options", "tool", "given", "effect"),
    [
        ("", "create", {"path": "src/a.ts"}, ASK),
        ("--allow-tool=write", "create", {"path": "src/a.ts"}, ALLOW),
        ("--allow-tool='write(src/*.ts)'", "create", {"path": "src/a.ts"}, ALLOW),
        ("--allow-tool='write(src/*.ts)'", "create", {"path": "src/deep/a.ts"}, ASK),
        ("--allow-tool=write --deny-tool='write(.env)'", "edit", {"path": f"{PROJECT}/pkg/.env"}, DENY),
        ("--allow-tool=write", "create", {"path": "/etc/hosts"}, ASK),
        ("--deny-tool='read(.env)'", "view", {"path": ".env"}, DENY),
        ("", "view", {"path": "README.md"}, ALLOW),
        ("--allow-tool='mail(send)'", "mail-send", {}, OPEN),
        ("", "store_memory", {"fact": "x"}, ASK),
        ("--allow-tool=memory", "store_memory", {"fact": "x"}, ALLOW),
    ],
)
def test_copilot_cli_tools(options: str, tool: str, given: dict[str, object], effect: Effect) -> None:
    assert copilot(f"copilot {options}").judge(call(tool, given)).effect is effect


def test_copilot_cli_approvals_hold_where_they_were_saved() -> None:
    approvals = [
        {"kind": "commands", "commandIdentifiers": ["git:*"]},
        {"kind": "mcp", "serverName": "mail", "toolName": None},
        {"kind": "deny", "commandIdentifiers": ["rm"]},
    ]
    saved: dict[str, object] = {"locations": {PROJECT: {"tool_approvals": approvals, "allowed_directories": ["/srv/shared"]}}}
    held = copilot(saved)
    push = call("bash", {"command": "git push"})
    assert held.judge(push).effect is ALLOW
    assert held.judge(call("mail-send", {}, server="mail")).effect is ALLOW
    assert copilot({"locations": {"/elsewhere": saved["locations"][PROJECT]}}).judge(push).effect is ASK  # type: ignore[index]
    assert copilot(saved, "--deny-tool='shell(git push)'").judge(push).effect is DENY
    assert [one.code for _, one in held.problems] == ["ignored"]


def test_copilot_cli_modes() -> None:
    held, push = copilot({"defaultPermissionMode": "allow-all"}), {"command": "git push"}
    assert held.judge(call("bash", push)).effect is ALLOW
    assert held.judge(call("bash", push, mode="manual")).effect is ASK
    assert copilot({"permissions": {"disableBypassPermissionsMode": "disable"}}, "--yolo").judge(call("bash", push)).effect is ASK
    assisted = copilot("").judge(call("bash", push, mode="assisted"))
    assert (assisted.effect, assisted.missing) == (OPEN, ("what the check of this mode answered",))


def test_copilot_cli_names_the_part_without_a_rule() -> None:
    answer = copilot("--allow-tool='shell(git:*)'").judge(call("bash", {"command": "git add . && make test"}))
    assert [(one.text, one.effect, one.rule) for one in answer.parts] == [
        ("git add .", ALLOW, "shell(git:*)"),
        ("make test", ASK, ""),
    ]


@pytest.mark.parametrize(
    ("allow", "deny", "command", "effect"),
    [
        (["Shell(git)"], [], "git push --force", ALLOW),
        (["Shell(git)"], [], "gitk", ASK),
        (["Shell(git)"], ["Shell(git:push*)"], "git push --force", DENY),
        (["Shell(npm:run *)"], [], "npm run build", ALLOW),
        (["Shell(npm:run *)"], [], "npm install x", ASK),
        (["Shell(*)"], ["Shell(rm)"], "rm -rf x", DENY),
        (["Shell(ls)"], [], "ls && rm x", OPEN),
        (["Shell(ls)", "Shell(wc)"], [], "ls | wc -l", ALLOW),
        ([], ["Shell(rm)"], "rm a && rm b", DENY),
        (["Shell(gh pr)"], [], "gh pr view", OPEN),
        ([], [], "", OPEN),
    ],
)
def test_cursor_commands(allow: list[str], deny: list[str], command: str, effect: Effect) -> None:
    assert cursor(allow, deny).judge(call("Shell", {"command": command})).effect is effect


@pytest.mark.parametrize(
    ("allow", "deny", "tool", "given", "effect"),
    [
        ([], [], "Read", {"path": "src/a.py"}, ALLOW),
        ([], ["Read(.env*)"], "read_file", {"target_file": f"{PROJECT}/.env.local"}, DENY),
        ([], ["Read(.env*)"], "Read", {"path": "pkg/.env"}, ALLOW),
        ([], ["Read(**/.env*)"], "Read", {"path": "pkg/.env"}, DENY),
        (["Write(src/**)"], [], "Write", {"path": "src/deep/a.ts"}, ALLOW),
        (["Write(src/**)"], [], "Write", {"path": "../src/a.ts"}, ASK),
        (["WebFetch(*.a.example)"], [], "WebFetch", {"url": "https://docs.a.example/x"}, ALLOW),
        (["WebFetch(*.a.example)"], [], "WebFetch", {"url": "https://a.example/x"}, ASK),
    ],
)
def test_cursor_tools(allow: list[str], deny: list[str], tool: str, given: dict[str, object], effect: Effect) -> None:
    assert cursor(allow, deny).judge(call(tool, given)).effect is effect


def test_cursor_modes_servers_and_files() -> None:
    push, command = call("Shell", {"command": "git push"}), {"command": "git push"}
    assert cursor([], [], approvalMode="unrestricted").judge(push).effect is ALLOW
    assert cursor([], ["Shell(git)"], approvalMode="unrestricted").judge(push).effect is DENY
    assert cursor([], []).judge(call("Shell", command, interactive=False)).effect is DENY
    assert cursor(["Mcp(mail:*)"], []).judge(call("send", {}, server="mail")).effect is ALLOW
    assert cursor(["Mcp(mail:send)"], []).judge(call("drop", {}, server="mail")).effect is ASK
    two = cursor(["Shell(git)"], [], {"permissions": {"allow": ["Shell(ls)"]}}).judge(push)
    assert (two.effect, two.missing) == (OPEN, ("how the lists of several files are put together",))
    editor = adapter_of("cursor").load(
        [RuleFile("user", "permissions.json", '{"terminalAllowlist": ["npm run", "git *"] /* x */}')]
    )
    assert editor.judge(call("Shell", {"command": "npm run build"})).effect is ALLOW
    assert editor.judge(call("Shell", {"command": "npm runner"})).effect is ASK
    assert [one.code for _, one in editor.problems] == ["dead"]


def test_entries_that_do_not_do_what_they_say_are_told_with_the_calls_that_show_it() -> None:
    held = copilot("--allow-all-tools --deny-tool='shell(git push)'\n--deny-tool='write(.env)' --deny-tool='Bash(curl *)'")
    told = {one.code: one for _, one in held.problems}
    assert set(told) == {"evaded", "redirect", "borrowed"}
    assert told["redirect"].line == 2
    for command, code, text in (
        ("env git push origin", "evaded", "git push origin"),
        ("echo A=1 > .env", "redirect", ".env"),
        ("curl a.example", "borrowed", "curl a.example"),
    ):
        assert [(one.code, one.text) for one in held.slips(call("bash", {"command": command}))] == [(code, text)]
    assert not held.slips(call("bash", {"command": "git push"}))
    mine = cursor(["Shell(*)", "Bash(make)"], ["Shell(rm)", "Read(.env)"])
    assert {one.code for _, one in mine.problems} == {"evaded", "by-shell", "unknown"}
    assert [one.code for one in mine.slips(call("Shell", {"command": "sudo rm -rf x"}))] == ["evaded"]
    assert [one.code for one in mine.slips(call("Shell", {"command": "cat .env"}))] == ["by-shell"]


@pytest.mark.parametrize("agent", ["copilot-cli", "cursor"])
@pytest.mark.parametrize(
    "text", ['{"permissions": [}', "[1]", '{"permissions": {"allow": 3, "deny": [1]}}', "{" * 50_000, "--allow-tool='shell(("]
)
def test_bad_files_are_problems_and_allow_nothing(agent: str, text: str) -> None:
    held = adapter_of(agent).load([RuleFile("user", "x.json" if text.startswith(("{", "[")) else "x.sh", text)])
    assert held.problems
    assert held.judge(call("bash", {"command": "git push"})).effect in (OPEN, ASK)


def test_paths_fit_patterns_in_time_that_follows_their_length() -> None:
    assert path_fits("src/**/*.ts", "src/a.ts")
    assert path_fits("**/{a,b}/?", "x/y/b/c")
    assert not path_fits("src/*.ts", "src/x/a.ts")
    assert not path_fits("/src/*", "src/a")
    assert not path_fits("/".join(["**", "a"] * 200) + "/z", "/".join(["a"] * 400))
