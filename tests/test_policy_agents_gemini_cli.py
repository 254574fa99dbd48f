"""Gemini CLI's own policies: which rule decides, what is built in, what does not load, and what does not do what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.oracle_tables import gemini_cli as table
from model.words import Effect
from policy.agents.base import Call, RuleFile
from policy.agents.gemini_cli import ADAPTER, GeminiPolicy
from policy.agents.gemini_cli.arguments import number, stringified
from policy.agents.gemini_cli.regexes import JsSyntaxError, JsUnsupported, compiled, searched, units
from policy.agents.gemini_cli.shell import BadSubstitution, script, unwrapped, words

PROJECT, HOME = "/home/dana/app", "/home/dana"


def policy(user: str = "", admin: str = "", extension: str = "", settings: object = None) -> GeminiPolicy:
    files = [
        RuleFile(layer, f"{layer}.toml", text)
        for layer, text in (("user", user), ("admin", admin), ("extension", extension))
        if text
    ]
    if settings is not None:
        files.append(RuleFile("user", "settings.json", json.dumps(settings)))
    return ADAPTER.load(files)


def rule(decision: str, priority: int = 100, tool: str = "run_shell_command", **keys: object) -> str:
    told = {"toolName": tool, "decision": decision, "priority": priority, **keys}
    return "[[rule]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items()) + "\n"


def call(
    tool: str, mode: str = "default", *, person: bool | None = True, server: str = "", agent: str = "", **given: object
) -> Call:
    return Call(
        tool, given, PROJECT, PROJECT, HOME, mode, agent=agent, mcp_server=server, interactive=person, trusted=True,
        facts={"annotations": None},
    )  # fmt: skip


def shell(held: GeminiPolicy, command: str, mode: str = "default", *, person: bool | None = True, **given: str) -> Effect:
    return held.judge(call("run_shell_command", mode, person=person, command=command, **given)).effect


GIT = rule("allow", commandPrefix="git") + rule("deny", 200, commandPrefix=["git push", "rm"])


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("git log -1", Effect.ALLOW),
        ("gitk", Effect.ASK),
        ("git push origin", Effect.DENY),
        ("git status && git push", Effect.DENY),
        ("git status && npm test", Effect.ASK),
        ("git log > out", Effect.ASK),
        ("git log 2>&1", Effect.ASK),
        ("bash -c 'git push'", Effect.DENY),
        ("echo $(rm x)", Effect.DENY),
        ("if true; then rm x; fi", Effect.DENY),
        ("sudo rm x", Effect.ASK),
        ("A=1 git push", Effect.ASK),
        ("'rm' x", Effect.ASK),
        ("git log 'unterminated", Effect.ASK),
        ("ls", Effect.ALLOW),
        ("cat /etc/passwd", Effect.ASK),
        ("cat ~/notes", Effect.ASK),
        ("cat src/../README.md", Effect.ALLOW),
    ],
)
def test_every_part_of_a_command_is_judged(command: str, effect: Effect) -> None:
    assert shell(policy(GIT), command) is effect


def test_the_answer_names_the_rule_its_file_and_every_part() -> None:
    answer = policy(GIT).judge(call("run_shell_command", command="git status && git push"))
    assert answer.rule.startswith("deny run_shell_command") and answer.place == "user.toml"
    assert [(part.text, part.effect) for part in answer.parts] == [("git status", Effect.ALLOW), ("git push", Effect.DENY)]


@pytest.mark.parametrize(
    ("mode", "person", "effect"),
    [
        ("default", True, Effect.ASK), ("default", False, Effect.DENY), ("plan", True, Effect.DENY), ("yolo", False, Effect.ALLOW),
        ("auto_edit", True, Effect.ASK), ("", False, Effect.UNKNOWN), ("default", None, Effect.UNKNOWN),
    ],
)  # fmt: skip
def test_without_policies_the_mode_and_the_person_decide(mode: str, person: bool | None, effect: Effect) -> None:
    assert shell(policy(), "npm test", mode, person=person) is effect


def test_a_fact_that_changes_nothing_is_not_missed() -> None:
    denied = policy(rule("deny"))
    assert denied.judge(Call("run_shell_command", {"command": "ls"})).effect is Effect.DENY
    told = policy().judge(Call("run_shell_command", {"command": "npm test"}))
    assert told.missing == ("the approval mode", "whether a person was there to ask")


def test_the_highest_tier_and_priority_decide() -> None:
    held = policy(rule("allow", 999, "write_file"), rule("deny", 0, "write_file"), rule("deny", 999, "web_fetch"))
    assert held.judge(call("write_file", file_path="a.py")).effect is Effect.DENY
    assert held.judge(call("web_fetch", prompt="x")).effect is Effect.DENY
    assert policy(rule("allow", 1, "x") + rule("deny", 1, "x")).judge(call("x")).effect is Effect.ALLOW


def test_dangerous_commands_and_other_folders_ask_under_a_rule_without_a_pattern() -> None:
    held = policy(rule("allow"))
    for command in (
        "rm -rf x",
        "sudo rm -f x",
        "find . -delete",
        "git -c a=b log",
        "ln -sf a b",
        "git branch -D x",
        "base64 -o f",
    ):
        assert shell(held, command) is Effect.ASK
        assert shell(held, command, "yolo") is Effect.ALLOW
    assert shell(held, "rm -r x") is Effect.ALLOW
    assert shell(held, "make", dir_path="../other") is Effect.ASK
    assert shell(policy(rule("allow", commandPrefix="rm")), "rm -rf x") is Effect.ALLOW


def test_git_is_asked_about_in_a_folder_that_is_not_trusted() -> None:
    held = policy(rule("allow"))
    judged = [
        held.judge(Call("run_shell_command", {"command": "git log"}, mode="default", interactive=True, trusted=trusted)).effect
        for trusted in (True, False, None)
    ]
    assert judged == [Effect.ALLOW, Effect.ASK, Effect.UNKNOWN]


@pytest.mark.parametrize(
    ("path", "mode", "effect"),
    [
        ("src/a.py", "autoEdit", Effect.ALLOW),
        ("../a.py", "autoEdit", Effect.DENY),
        ("src/.env", "autoEdit", Effect.DENY),
        ("node_modules/x/a.js", "autoEdit", Effect.DENY),
        (".gemini/settings.json", "autoEdit", Effect.ASK),
        ("Makefile", "autoEdit", Effect.ASK),
        ("ci/Dockerfile.test", "yolo", Effect.ASK),
        ("rules.MK", "yolo", Effect.ASK),
        ("../a.py", "yolo", Effect.ALLOW),
        ("notes.md", "plan", Effect.ALLOW),
        ("docs/notes.md", "plan", Effect.DENY),
    ],
)
def test_files_that_may_be_written(path: str, mode: str, effect: Effect) -> None:
    assert policy().judge(call("write_file", mode, file_path=path, content="x")).effect is effect


def test_rules_for_servers_sub_agents_and_annotations() -> None:
    held = policy(
        rule("allow", 10, "search", mcpName="my_server") + rule("deny", 20, "mcp_mail_*") + rule("deny", 30, "*", subagent="scout")
        + '[[rule]]\ntoolName = "*"\nmcpName = "*"\ntoolAnnotations = { readOnlyHint = true }\ndecision = "allow"\npriority = 5\n'
    )  # fmt: skip
    assert held.judge(call("mcp_my_server_search", server="my_server")).effect is Effect.ALLOW
    assert held.judge(call("mcp_my_server_search")).effect is Effect.ASK
    assert held.judge(call("mcp_mail_send")).effect is Effect.DENY
    assert held.judge(call("read_file", agent="scout", file_path="a")).effect is Effect.DENY
    open_ = Call("mcp_wiki_read", {}, mode="default", interactive=True)
    assert held.judge(open_).missing == ("the annotations of the server's tool",)
    told = Call("mcp_wiki_read", {}, mode="default", interactive=True, facts={"annotations": {"readOnlyHint": True}})
    assert held.judge(told).effect is Effect.ALLOW


def test_rules_made_of_settings() -> None:
    held = policy(settings={
        "tools": {"allowed": ["run_shell_command(git)", "web_fetch"], "confirmationRequired": ["web_fetch"], "exclude": ["glob"]},
        "mcp": {"excluded": ["mail"], "allowed": ["wiki"]}, "mcpServers": {"box": {"trust": True}},
    })  # fmt: skip
    assert shell(held, "git push") is Effect.ALLOW
    assert shell(held, "npm test") is Effect.DENY
    told = {
        name: held.judge(call(name)).effect for name in ("web_fetch", "glob", "mcp_mail_send", "mcp_wiki_read", "mcp_box_put")
    }
    assert [*told.values()] == [Effect.ASK, Effect.DENY, Effect.DENY, Effect.ALLOW, Effect.ALLOW]
    core = policy(settings={"tools": {"core": ["read_file"]}})
    assert (core.judge(call("read_file")).effect, core.judge(call("glob")).effect) == (Effect.ALLOW, Effect.DENY)


def test_a_pattern_that_cannot_be_searched_is_not_judged() -> None:
    held = policy(rule("deny", argsPattern='"command":"(?!git)'))
    answer = held.judge(call("run_shell_command", command="ls"))
    assert answer.effect is Effect.UNKNOWN and "ahead" in answer.missing[0]
    assert ("user.toml", "not-judged") in {(name, problem.code) for name, problem in held.problems}


def test_what_hangs_on_arguments_the_record_lacks_is_not_judged() -> None:
    held = policy(rule("deny", tool="write_file", argsPattern="secret") + rule("deny", commandPrefix="rm"))

    def judged(tool: str, **given: object) -> Effect:
        return held.judge(Call(tool, given, mode="yolo", interactive=True, facts={"partial": True, "annotations": None})).effect

    assert judged("write_file", file_path="a") is Effect.UNKNOWN
    assert judged("run_shell_command", command="rm x") is Effect.DENY
    assert judged("mcp_box_save") is Effect.UNKNOWN
    assert judged("invoke_agent") is Effect.UNKNOWN
    assert judged("glob") is Effect.ALLOW


def problems(user: str, layer: str = "user") -> list[tuple[str, str, int, int]]:
    held = ADAPTER.load([RuleFile(layer, "a.toml", user)])
    return [(one.severity, one.code, one.line, one.column) for _, one in held.problems]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (rule("deny", 1000), ("error", "schema", 4, 1)),
        (rule("never"), ("error", "schema", 3, 1)),
        (rule("deny", modes=["auto_edit"]), ("error", "schema", 5, 1)),
        ('[[rule]]\nmcpName = "x"\ndecision = "deny"\npriority = 1\n', ("error", "schema", 1, 1)),
        ('[[rule]]\ntoolName = "x\n', ("error", "syntax", 2, 14)),
        (rule("deny", tool=""), ("error", "no-start", 2, 1)),
        (rule("deny", tool="write_file", commandPrefix="git"), ("error", "shell-syntax", 5, 1)),
        (rule("deny", argsPattern="("), ("error", "pattern", 5, 1)),
        (rule("deny", argsPattern="(a+)+b"), ("error", "pattern", 5, 1)),
        (rule("deny", tool="run_shel_command"), ("warning", "tool-name", 2, 13)),
        (rule("deny", tool="mail__send"), ("warning", "tool-name", 2, 13)),
        (rule("deny", tool="mcp_*_send"), ("warning", "never-matches", 2, 13)),
        (rule("deny", tool="send", mcpName="*"), ("warning", "never-matches", 5, 1)),
        (rule("allow", commandRegex="^git"), ("warning", "dead-anchor", 5, 1)),
        (rule("allow", commandRegex="npm test$"), ("warning", "dead-anchor", 5, 1)),
        (rule("allow", commandRegex="git|npm"), ("warning", "alternatives", 5, 1)),
        (rule("allow", commandPrefix="git "), ("warning", "narrow", 5, 18)),
        (rule("allow", commandPrefix="git"), ("warning", "redirect-asks", 3, 1)),
        (rule("deny", commandPrefix="rm"), ("warning", "evaded", 5, 1)),
        (rule("allow", tool="write_file", argsPattern='^\\{"file_path"'), ("warning", "never-matches", 5, 1)),
        (rule("allow", tool="write_file", argsPattern='\\\\0"file_path"'), ("warning", "never-matches", 5, 1)),
        (rule("allow", commandprefix="git"), ("warning", "unknown-key", 5, 1)),
        (rule("allow", 9, commandPrefix="git") + rule("deny", 5, commandPrefix="git push"), ("warning", "shadowed", 7, 1)),
    ],
)  # fmt: skip
def test_what_does_not_load_and_what_does_not_do_what_it_says(text: str, told: tuple[str, str, int, int]) -> None:
    assert told in problems(text)


def test_a_file_without_fault_says_nothing() -> None:
    assert problems(rule("allow", tool="write_file") + rule("allow", 5, commandPrefix="git", allowRedirection=True)) == []


def test_bad_files_leave_the_others_alone() -> None:
    held = policy(rule("deny", 1000), rule("deny", 1, "web_fetch"), rule("allow", 9, "write_file") + rule("deny", 9, "glob"))
    assert held.judge(call("web_fetch")).effect is Effect.DENY
    assert held.judge(call("glob")).effect is Effect.DENY
    assert held.judge(call("write_file", file_path="a")).effect is Effect.ASK
    assert policy(rule("deny", tool="")).judge(call("glob")).effect is Effect.UNKNOWN
    assert problems(rule("deny"), "workspace")[-1][:2] == ("warning", "no-effect")


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\0a", "\0a", True), (r"[^]", "\n", True), (r"[]", "a", False), (r"\s", "\u00a0", True), (".", "\u2028", False),
        (r"a{", "a{", True), (r"\Qa", "Qa", True), (r"[\w-.]", "-", True), ("^..$", "😀", True), (r"\ud83d", "😀", True),
        ("[[:a]]", ":]", True), ("$a", "a", False), (r"\101", "A", True), (r"(a)\2", "a\x02", True), (r"[\c1]", "\x11", True),
    ],
)  # fmt: skip
def test_patterns_are_those_of_javascript(pattern: str, text: str, found: bool) -> None:
    assert searched(pattern, units(text)) is found


@pytest.mark.parametrize(
    "pattern", ["(", ")", "[", "a**", "^*", "(?P<a>b)", "[z-a]", "a{2,1}", "\\", "*", r"(?<a>b)\k", "(?<a>b)(?<a>c)"]
)
def test_patterns_javascript_refuses(pattern: str) -> None:
    with pytest.raises(JsSyntaxError):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)", r"(a)\1", r"(?<n>a)\k<n>", "a{1001}"])
def test_patterns_that_are_not_searched(pattern: str) -> None:
    with pytest.raises(JsUnsupported):
        compiled(pattern)


def test_arguments_are_one_line_of_json() -> None:
    assert (
        stringified({"b": {"d": 1, "c": [True, None]}, "a": 'x"\ud800'})
        == '{\0"a":"x\\"\\ud800"\0,\0"b":{"c":[true,null],"d":1}\0}'
    )
    numbers = (1.0, 1e21, 1e20, 1e-7, 1.5e-6, 0.1, -2.5)
    assert [number(one) for one in numbers] == ["1", "1e+21", "100000000000000000000", "1e-7", "0.0000015", "0.1", "-2.5"]


def test_words_and_pieces_of_commands() -> None:
    assert words('git \'a b\' "c\\"d" $x ${y}z *.py # rest') == ("git", "a b", 'c"d', "", "z", "*.py", "")
    assert words("a&&b>c") == ("a", "&&", "b", ">", "c")
    with pytest.raises(BadSubstitution):
        words("echo ${")
    assert [piece.text for piece in script("a | b $(c é) > d").pieces] == ["a", "b $(c é)", "c é"]
    assert (unwrapped("/bin/bash  -c 'a b'"), unwrapped(" bash -lc x ")) == ("a b", "bash -lc x")


def test_hostile_commands_and_arguments_are_judged_or_not_but_never_raise() -> None:
    nested: object = "x"
    for _ in range(300):
        nested = {"path": nested}
    deep = "$(" * 300 + "a" + ")" * 300
    held = policy(rule("deny", argsPattern="zzz") + rule("allow", 5))
    given: list[dict[str, object]] = [
        {"command": deep}, {"command": "a|" * 5000}, {"command": 5}, {"command": None}, {"command": "\0 \ud800 <"}, {"x": nested},
    ]  # fmt: skip
    for one in given:
        assert held.judge(Call("run_shell_command", one, mode="default", interactive=True)).effect in Effect
    assert held.judge(call("write_file", "autoEdit", options=nested)).effect in Effect


def test_the_real_program_agrees_in_decision_and_rule(corpus: Path) -> None:
    """Every observed answer, and the tier, priority and source of the rule the program named."""
    oracles = corpus / "oracles"
    wrong = [(row.about, row.truth, row.answer) for row in table.rows(oracles) if row.answer.effect is not row.truth]
    assert not wrong
    for line in (oracles / "gemini-policy.jsonl").read_text("utf-8").splitlines():
        told = json.loads(line)
        named = told["rule"] if told["rule"] and told["rule"]["source"] != "Build File Protection" else None
        said = table.loaded(oracles / "policies" / "gemini" / told["policy"]).judge(table.call_of(told)).rule
        assert bool(said) is bool(named), told
        assert named is None or f"at {named['priority']:g} " in said, told


def test_the_real_program_loads_the_same_rules(corpus: Path) -> None:
    words_ = {Effect.ALLOW: "allow", Effect.ASK: "ask_user", Effect.DENY: "deny"}
    for line in (corpus / "oracles" / "gemini-policy-loads.jsonl").read_text("utf-8").splitlines():
        told = json.loads(line)
        held = table.loaded(corpus / "oracles" / "policies" / "gemini" / told["policy"])
        assert bool(held.stops) is ("load_error" in told)
        errors = sum(one["severity"] == "error" for one in told["feedback"])
        assert errors == sum(one.severity == "error" for _, one in held.problems), told["policy"]
        if held.stops:
            continue
        # The table was made with a person there: what is allowed without one is not in it.
        mine = [
            (one.tool, words_[one.effect], f"{one.priority:g}", one.pattern, one.mcp, one.subagent, one.redirection, [*one.modes])
            for one in held.rules
            if not one.source.startswith("Settings (Headless")
        ]
        theirs = [
            (
                one["toolName"], one["decision"], f"{one['priority']:g}", one.get("argsPattern", "").replace("\\/", "/"), one.get("mcpName"),
                one.get("subagent"), one.get("allowRedirection", False), one.get("modes", []),
            )
            for one in told["rules"]
        ]  # fmt: skip
        assert mine == theirs, told["policy"]
