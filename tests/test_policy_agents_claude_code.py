"""Claude Code's own rules: what a call comes to by rule, path, mode and hook, part by part, and rules that do not do what they say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.oracle_tables import claude_code as table
from model.words import Effect
from policy.agents.base import Answer, Call, RuleFile
from policy.agents.claude_code import ADAPTER, ClaudeCodePolicy

ROOT, HOME = "/home/dana/work/payments", "/home/dana"


def held(settings: object, layer: str = "project") -> ClaudeCodePolicy:
    return ADAPTER.load([RuleFile(layer, "settings.json", settings if isinstance(settings, str) else json.dumps(settings), ROOT)])


def ask(call: Call, **permissions: Any) -> Answer:
    return held({"permissions": permissions}).judge(call)


def bash(command: str, mode: str = "default", **facts: object) -> Call:
    return Call("Bash", {"command": command}, cwd=ROOT, project=ROOT, home=HOME, mode=mode, facts=facts)


def file(tool: str, path: str, mode: str = "default", **facts: object) -> Call:
    return Call(tool, {"file_path": path}, cwd=ROOT, project=ROOT, home=HOME, mode=mode, facts=facts)


COMMANDS = {
    "deny": ["Bash(git push:*)"],
    "ask": ["Bash(curl *)"],
    "allow": ["Bash(make test)", "Bash(git:*)", "Bash(go build *)"],
}


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("git push", "deny"),
        ("make test && git push origin main", "deny"),
        ("/usr/bin/git push", "deny"),
        ("A=1 sudo -u root git 'push' -f", "deny"),
        ("echo $(git push)", "deny"),
        ("f() { git push; }; f", "deny"),
        ("bash -c 'git push'", "ask"),
        ("git -C sub push", "allow"),
        ("git pushes", "allow"),
        ("gitk", "ask"),
        ("git commit -m 'a; b'", "allow"),
        ("timeout 5 git fetch", "allow"),
        ("LANG=C git fetch", "allow"),
        ("X=1 git fetch", "ask"),
        ("make test", "allow"),
        ("make test all", "ask"),
        ("make test && ls | wc -l", "allow"),
        ("make test && ls /etc", "ask"),
        ("make test > out", "ask"),
        ("make test > /dev/null 2>&1", "allow"),
        ("make test &", "ask"),
        ("(make test)", "ask"),
        ("make test $(id)", "ask"),
        ("make test $UNSET", "ask"),
        ("go build $HOME", "allow"),
        ("go build", "allow"),
        ("gobuild", "ask"),
        ("go builds", "ask"),
        ("cd sub && git fetch", "ask"),
        ("if [ -f x ]; then make test; fi", "allow"),
        ("curl x | sh", "ask"),
        ("git status", "allow"),
        ("sort -o x y", "ask"),
        ("find . -delete", "ask"),
        ("env", "ask"),
        ("rm -rf build", "ask"),
        ("sed 's/;/,/g; s|a|b|'", "allow"),
        ("sed 's/a/b/w out'", "ask"),
        ("sed -n '2,5p' x", "allow"),
    ],
)
def test_deny_before_ask_before_allow_over_the_parts_of_a_command(command: str, effect: str) -> None:
    assert ask(bash(command), **COMMANDS).effect.value == effect


def test_the_answer_names_the_rule_and_the_part_that_lacks_one() -> None:
    answer = ask(bash("git fetch && npm ci && ls"), **COMMANDS)
    assert answer.effect is Effect.ASK and "npm ci" in answer.reason
    assert [(part.text, part.effect, part.rule) for part in answer.parts] == [
        ("git fetch", Effect.ALLOW, "Bash(git:*)"),
        ("npm ci", Effect.ASK, ""),
        ("ls", Effect.ALLOW, ""),
    ]
    denied = ask(bash("ls; git push"), **COMMANDS)
    assert (denied.rule, denied.place) == ("Bash(git push:*)", "settings.json")
    assert denied.parts[1].rule == "Bash(git push:*)"


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("default", "allow ask ask ask allow ask"),
        ("acceptEdits", "allow allow allow ask allow ask"),
        ("dontAsk", "allow deny deny deny allow deny"),
        ("bypassPermissions", "allow allow allow allow allow ask"),
        ("plan", "allow unknown ask unknown allow ask"),
        ("", "allow unknown unknown unknown allow unknown"),
    ],
)
def test_modes(mode: str, told: str) -> None:
    calls = [
        bash("make test", mode),
        bash("touch x", mode),
        file("Write", "x", mode),
        bash("npm ci", mode),
        file("Read", "x", mode),
    ]
    assert [ask(call, **COMMANDS).effect.value for call in [*calls, bash("curl x", mode)]] == told.split()


def test_the_mode_is_the_settings_own_where_the_call_states_none() -> None:
    assert ask(bash("npm ci", ""), defaultMode="dontAsk").effect is Effect.DENY
    assert ask(bash("npm ci", "bypassPermissions"), disableBypassPermissionsMode="disable").effect is Effect.ASK
    assert ask(bash("rm -rf ~", "bypassPermissions")).effect is Effect.ASK
    assert ask(bash("npm ci", "plan", classifier="allow")).effect is Effect.ALLOW
    assert ask(bash("python3 x", "auto"), allow=["Bash(python3:*)", "Bash"]).missing


@pytest.mark.parametrize(
    ("rule", "path", "effect"),
    [
        ("Read(./.env)", ".env", "deny"),
        ("Read(./.env)", "a/b/.ENV", "deny"),
        ("Read(/.env)", "a/.env", "allow"),
        ("Read(/.env)", ".env", "deny"),
        ("Read(secrets/**)", "secrets/a/b", "deny"),
        ("Read(a/secrets/*)", "b/a/secrets/x", "allow"),
        ("Read(*.pem)", "a/b.pem", "deny"),
        ("Read(**/k?y)", "a/b/key", "deny"),
        ("Read(//etc/**)", "/etc/passwd", "deny"),
        ("Read(/etc/**)", "/etc/passwd", "ask"),
        ("Read(~/.ssh/**)", "~/.ssh/id", "deny"),
        ("Read(~/.ssh/**)", f"{HOME}/.ssh/id", "deny"),
        ("Read(.env", ".env", "allow"),
        ("Write(secrets/**)", "secrets/x", "allow"),
    ],
)
def test_paths_are_matched_as_gitignore_does(rule: str, path: str, effect: str) -> None:
    assert ask(file("Read", path), deny=[rule]).effect.value == effect
    if effect == "deny":
        assert ask(file("Write", path), deny=[rule]).effect is Effect.DENY
        assert ask(bash(f"head -3 {path}"), allow=["Bash"], deny=[rule]).effect is Effect.DENY


def test_edit_rules_cover_what_commands_write() -> None:
    for command in (
        "touch gen/x",
        "echo a > gen/x",
        "cp a gen/x",
        "sed -i s/a/b/ gen/x",
        "mkdir -p gen/d",
        "ls | tee gen/x",
        "rm gen/x",
    ):
        assert ask(bash(command), allow=["Bash"], deny=["Edit(gen/**)"]).effect is Effect.DENY, command
    assert ask(bash("cat gen/x"), deny=["Edit(gen/**)"]).effect is Effect.ALLOW
    assert ask(bash("ls > gen/x"), allow=["Edit(gen/**)"]).effect is Effect.ALLOW
    assert ask(file("Write", "gen/x"), allow=["Edit(gen/**)"]).effect is Effect.ALLOW
    assert ask(file("Write", "gen/x"), allow=["Edit", "Write(gen/**)"]).effect is Effect.ASK
    assert ask(file("Edit", ".git/config", "acceptEdits"), allow=["Edit(**)"]).effect is Effect.ASK


def test_links_are_followed_where_they_are_known() -> None:
    links = {f"{ROOT}/in": f"{ROOT}/secrets/key", f"{ROOT}/out": "/srv/data"}
    deny = {"deny": ["Read(secrets/**)"]}
    assert ask(file("Read", "in", links=links), **deny).effect is Effect.DENY
    assert ask(file("Read", "in"), **deny).effect is Effect.ALLOW
    assert ask(file("Read", "out/x", links=links)).effect is Effect.ASK
    assert ask(file("Read", "out/x", links=links), allow=["Read(out/**)"]).effect is Effect.ASK
    assert ask(file("Read", "out/x", links=links), allow=["Read(out/**)", "Read(//srv/**)"]).effect is Effect.ALLOW
    assert ask(file("Edit", "in", links=links), allow=["Edit(**)"]).effect is Effect.DENY


def test_what_the_record_lacks_is_named() -> None:
    bare = Call("Read", {"file_path": "/home/x/.ssh/id"}, mode="default")
    assert ask(bare, deny=["Read(~/.ssh/**)"]).effect is Effect.UNKNOWN
    assert "home folder" in ask(bare, deny=["Read(~/.ssh/**)"]).missing[0]
    assert ask(Call("Bash", {}, mode="default")).missing == ("the command",)
    hooks = {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": []}]}, "permissions": COMMANDS}
    assert held(hooks).judge(bash("make test")).missing == ("what the hooks answered",)
    assert held(hooks).judge(bash("git push")).effect is Effect.DENY
    assert held(hooks).judge(bash("npm ci", hook="allow")).effect is Effect.ALLOW
    assert held(hooks).judge(bash("curl x", hook="allow")).effect is Effect.ASK
    assert held(hooks).judge(bash("ls", "dontAsk", hook="ask")).effect is Effect.ASK
    assert held(hooks).judge(file("Read", "x")).effect is Effect.ALLOW


def test_servers_hosts_and_sub_agents() -> None:
    def mcp(name: str, **permissions: Any) -> str:
        return ask(Call(name, {}, cwd=ROOT, project=ROOT, mode="default"), **permissions).effect.value

    assert mcp("mcp__mail__send", allow=["mcp__mail"]) == mcp("mcp__mail__send", allow=["mcp__mail__s*"]) == "allow"
    assert mcp("mcp__mail__send", allow=["mcp__*"]) == mcp("mcp__mail__send", allow=["mcp__mai"]) == "ask"
    assert mcp("mcp__mail__send", allow=["mcp__mail"], deny=["mcp__*"]) == "deny"

    def fetch(url: str, **permissions: Any) -> str:
        return ask(Call("WebFetch", {"url": url}, cwd=ROOT, project=ROOT, mode="default"), **permissions).effect.value

    assert fetch("https://u@API.Example.com:8443/x", allow=["WebFetch(domain:api.example.com)"]) == "allow"
    assert fetch("https://example.com./", deny=["WebFetch(domain:example.com)"]) == "deny"
    assert fetch("https://example.com", allow=["WebFetch(domain:*.example.com)"]) == "ask"
    assert fetch("https://a.b.example.com", allow=["WebFetch(domain:*.example.com)"]) == "allow"
    assert fetch("https://docs.python.org/3") == "allow"

    def agent(kind: str, **permissions: Any) -> str:
        return ask(Call("Task", {"subagent_type": kind}, mode="default"), **permissions).effect.value

    assert agent("Explore", deny=["Agent(Explore)"]) == agent("Explore", deny=["Task"]) == "deny"
    assert agent("Explore", ask=["Agent(Explore)"]) == agent("Explore", deny=["Agent(Ex*)"]) == "allow"


def test_scopes_are_merged_and_a_folders_own_settings_hold_in_that_folder() -> None:
    files = [
        RuleFile("managed", "managed.json", '{"permissions": {"deny": ["Bash(git push:*)"]}}'),
        RuleFile("project", "project.json", '{"permissions": {"allow": ["Bash(git:*)", "Read(/top/**)"]}}', ROOT),
        RuleFile("user", "user.json", '{"permissions": {"deny": ["Read(/x)"]}}'),
    ]
    policy = ADAPTER.load(files)
    assert policy.judge(bash("git push")).place == "managed.json"
    assert policy.judge(bash("git fetch")).place == "project.json"
    below = Call("Bash", {"command": "git fetch"}, cwd=f"{ROOT}/sub", project=f"{ROOT}/sub", home=HOME, mode="default")
    assert policy.judge(below).effect is Effect.ASK
    assert policy.judge(file("Read", "~/.claude/x")).effect is Effect.DENY
    only = [RuleFile("managed", "managed.json", '{"allowManagedPermissionRulesOnly": true}'), *files[1:]]
    assert ADAPTER.load(only).judge(bash("git fetch")).effect is Effect.ASK


def test_rules_that_do_not_do_what_they_say_are_named_at_their_place() -> None:
    text = """{
  // hand-written
  "permissions": {
    "allow": ["Write(src/**)", "Agent(Explore)", "*", "Bash(watch:*)", "Bash(a && b:*)",
      "Bash(FOO=1 npm:*)", "bash(ls)", "Bash(", "Bash(npm test*)", "Bash(touch:*)", 7,],
    "deny": ["Bash(git push:*)", "Read(./.env)", "Read(/etc/**)"],
    "ask": ["Bash(git push origin:*)"],
    "alow": []
  }
}"""
    found = {(d.code, d.line, d.column) for _, d in held(text).problems}
    # The program reads such a file, so nothing in it keeps the rest from being judged.
    assert {d.severity for _, d in held(text).problems} == {"warning"}
    assert found == {
        ("unknown", 8, 5),
        ("malformed", 5, 40),
        ("malformed", 4, 5),
        ("no-effect", 4, 15),
        ("no-effect", 4, 32),
        ("no-effect", 4, 50),
        ("no-effect", 4, 55),
        ("never", 4, 72),
        ("literal", 5, 7),
        ("unknown", 5, 28),
        ("no-boundary", 5, 49),
        ("narrower", 5, 68),
        ("evaded", 6, 14),
        ("any-depth", 6, 34),
        ("evaded", 6, 34),
        ("rooted", 6, 50),
        ("evaded", 6, 50),
        ("void", 7, 13),
        ("evaded", 7, 13),
    }


@pytest.mark.parametrize("settings", ["{", "[]", '{"permissions": []}', '{"permissions": {"deny": "Bash"}}', "[" * 5000])
def test_bad_files_are_problems_and_what_is_good_beside_them_is_kept(settings: str) -> None:
    policy = ADAPTER.load(
        [RuleFile("user", "bad.json", settings), RuleFile("managed", "good.json", '{"permissions": {"deny": ["Bash"]}}')]
    )
    assert [name for name, d in policy.problems if d.severity == "error"] == ["bad.json"]
    assert policy.judge(bash("ls")).rule == "Bash"


@pytest.mark.parametrize(
    "command", ["'", "$(", "a\0b", "((((", "é && ls", "x " * 50_000, "|" * 5_000, "cat <<'E'\nx", "a > ", "\\"]
)
def test_no_command_is_too_odd(command: str) -> None:
    assert ask(bash(command), **COMMANDS).effect in Effect


def test_what_the_real_program_did(corpus: Path) -> None:
    told: Counter[bool] = Counter()
    wrong = []
    for row in table.rows(corpus / "oracles"):
        told[row.truth is row.answer.effect] += 1
        wrong += [] if row.truth is row.answer.effect else [row.about]
    assert told[True] >= 5_000 and told[False] <= 0.005 * told.total(), wrong
