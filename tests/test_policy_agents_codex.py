"""Codex's own rules: what the check prints, what the running program does, and which rules do not do what they say."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import codex_fresh
from benchmarks.oracle_tables import codex as table
from model.words import Effect
from policy.agents.base import Answer, Call, RuleFile
from policy.agents.codex import ADAPTER, CodexPolicy

ORACLES = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "oracles"

GIT = """
prefix_rule(pattern=["git", ["status", "log"]], decision="allow")
prefix_rule(pattern=["git", "push"], decision="prompt", justification="pushes need a human")
prefix_rule(pattern=["git", "push", "--force"], decision="forbidden")
"""


def load(*texts: str, project: str = "") -> CodexPolicy:
    files = [RuleFile("user", f"{at}.rules", text) for at, text in enumerate(texts)]
    return ADAPTER.load([*files, RuleFile("project", "project.rules", project)] if project else files)


def run(held: CodexPolicy, command: object, mode: str = "on-request", **more: object) -> Answer:
    sandbox, trusted, facts = more.pop("sandbox", "workspace-write"), more.pop("trusted", None), more.pop("facts", {})
    assert isinstance(sandbox, str) and isinstance(facts, dict) and isinstance(trusted, bool | None)
    given = {"cmd": command, **more}
    return held.judge(Call("exec_command", given, mode=mode, sandbox=sandbox, trusted=trusted, facts=facts))


def checked(text: str, *argv: str, resolve: bool = False) -> str:
    return ADAPTER.load([RuleFile("user", "x.rules", text)], mode="check").check(argv, resolve=resolve, cwd="/w")[0]


def codes(held: CodexPolicy) -> set[str]:
    return {problem.code for _, problem in held.problems}


@pytest.mark.parametrize(
    ("argv", "decision"),
    [
        (("git", "status", "-s"), "allow"),
        (("git", "push"), "prompt"),
        (("git", "push", "--force", "x"), "forbidden"),
        (("git",), ""),
        (("git", "push --force"), ""),
        (("/usr/bin/git", "push"), ""),
        (("bash", "-lc", "git push"), ""),
        (("--", "git", "push"), ""),
    ],
)
def test_the_check_takes_words_as_they_are(argv: tuple[str, ...], decision: str) -> None:
    assert checked(GIT, *argv) == decision


def test_a_path_is_found_by_its_name_only_where_it_is_listed() -> None:
    text = 'host_executable(name="git", paths=["/usr/lib/../bin/git"])\nprefix_rule(pattern=["git"], decision="prompt")'
    assert checked(text, "/usr/bin/git", "log", resolve=True) == "prompt"
    assert checked(text, "//usr/bin/./git", "log", resolve=True) == "prompt"
    assert checked(text, "/opt/bin/git", "log", resolve=True) == ""
    assert checked('prefix_rule(["git"], "prompt")', "./sub/git", "log", resolve=True) == "prompt"


def test_an_exact_path_hides_the_rules_on_its_name() -> None:
    text = 'prefix_rule(pattern=["/usr/bin/git"])\nprefix_rule(pattern=["git"], decision="forbidden")'
    assert checked(text, "/usr/bin/git", "push", resolve=True) == "allow"
    assert "hides" in codes(load(text))


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("git status", Effect.ALLOW),
        ("git push origin main", Effect.ASK),
        ("git status && git push --force", Effect.DENY),
        ("git status\ngit push", Effect.ASK),
        ('git "push"', Effect.ASK),
        ("git pu'sh'", Effect.ASK),
        ("/usr/bin/git push", Effect.ASK),
        ("echo é; git push", Effect.ASK),
        # Kept whole: no inner rule is asked.
        ("git push 2>&1", Effect.ALLOW),
        ("git push $x", Effect.ALLOW),
        ("git push # now", Effect.ALLOW),
        ("A=1 git push", Effect.ALLOW),
        ("'git' push", Effect.ALLOW),
        ("(git push --force)", Effect.ALLOW),
        ("git push HEAD~1", Effect.ALLOW),
        ("git push <<EOF\nx\nEOF", Effect.ALLOW),
        ("git push &&", Effect.ALLOW),
        ("env git push", Effect.ALLOW),
        ("git -C . push", Effect.ALLOW),
        # The one danger that is built in.
        ("rm -rf x", Effect.ASK),
        ("rm -r x -f", Effect.ASK),
        ("rm -- -f", Effect.ALLOW),
        ("rm -r x", Effect.ALLOW),
        ("sudo /bin/rm --force x", Effect.ASK),
        ("if true; then rm -rf x; fi", Effect.ASK),
        ("echo $(rm -fr x)", Effect.ASK),
        ("bash -c 'rm -rf x'", Effect.ASK),
        ("echo 'rm -rf x'", Effect.ALLOW),
        ("", Effect.ALLOW),
    ],
)
def test_the_running_program_splits_only_plain_words(command: str, effect: Effect) -> None:
    assert run(load(GIT), command).effect is effect


def test_the_answer_names_the_rule_the_reason_and_every_part() -> None:
    answer = run(load(GIT), "git status && git push && ls")
    assert (answer.effect, answer.place) == (Effect.ASK, "0.rules")
    assert answer.rule == 'prefix_rule(pattern=["git", "push"], decision="prompt")'
    assert "pushes need a human" in answer.reason
    assert [(part.text, part.effect, bool(part.rule)) for part in answer.parts] == [
        ("git status", Effect.ALLOW, True),
        ("git push", Effect.ASK, True),
        ("ls", Effect.ALLOW, False),
    ]
    assert "a redirection keeps it whole" in run(load(GIT), "git push > x", "untrusted").reason


@pytest.mark.parametrize(
    ("mode", "command", "more", "effect"),
    [
        ("untrusted", "ls", {}, Effect.ASK),
        ("untrusted", "git log", {}, Effect.ALLOW),
        ("never", "ls", {}, Effect.ALLOW),
        ("never", "git push", {}, Effect.DENY),
        ("never", "rm -rf x", {}, Effect.DENY),
        ("never", "ls", {"sandbox_permissions": "require_escalated"}, Effect.DENY),
        ("on-request", "ls", {"sandbox_permissions": "require_escalated"}, Effect.ASK),
        ("on-request", "ls", {"sandbox_permissions": "require_escalated", "sandbox": "danger-full-access"}, Effect.ALLOW),
        ("on-request", "git log", {"sandbox_permissions": "require_escalated"}, Effect.ALLOW),
        ("granular", "git push", {"facts": {"granular": {"rules": False, "sandbox_approval": True}}}, Effect.DENY),
        ("granular", "git push", {"facts": {"granular": {"rules": True, "sandbox_approval": False}}}, Effect.ASK),
        ("granular", "rm -rf x", {"facts": {"granular": {"rules": False, "sandbox_approval": False}}}, Effect.ASK),
    ],
)
def test_the_approval_policy_decides_what_rules_leave_open(
    mode: str, command: str, more: dict[str, object], effect: Effect
) -> None:
    assert run(load(GIT), command, mode, **more).effect is effect


def test_what_is_not_told_is_missing_only_where_the_answer_hangs_on_it() -> None:
    answer = run(load(GIT), "git push", "")
    assert (answer.effect, answer.missing) == (Effect.UNKNOWN, ("the approval policy in force",))
    assert run(load(GIT), "git push --force", "", sandbox="").effect is Effect.DENY
    assert run(load(GIT), "git log", "", sandbox="").effect is Effect.ALLOW
    assert load(GIT).judge(Call("exec_command", {"cmd": "git push"}, interactive=False)).effect is Effect.DENY


def test_a_projects_rules_count_only_where_it_is_trusted_and_cannot_loosen() -> None:
    held = load('prefix_rule(pattern=["git", "push"], decision="forbidden")', project='prefix_rule(["git"], "prompt")')
    assert run(held, "git log", trusted=True).effect is Effect.ASK
    assert run(held, "git log", trusted=False).effect is Effect.ALLOW
    assert run(held, "git log").missing == ("whether the project is trusted",)
    assert run(held, "git push").effect is Effect.DENY
    assert "untrusted" in codes(held)


def test_one_bad_file_disables_all_rules_and_says_where() -> None:
    held = load(GIT, '# head\nprefix_rule(pattern=["ls"],\n            decision="deny")\n')
    assert run(held, "git push --force").effect is Effect.ALLOW
    assert "1.rules does not load" in run(held, "git push --force").reason
    assert [(name, p.line, p.column, p.code) for name, p in held.problems] == [("1.rules", 2, 1, "no-load")]
    bad_project = load(GIT, project="prefix_rule(")
    assert run(bad_project, "git push --force", trusted=False).effect is Effect.DENY


def test_examples_that_fail_are_all_told_at_their_places() -> None:
    text = 'prefix_rule(pattern=["git"],\n  match=["git log", "ls", ["a", "b"]],\n  not_match=["git x", "ls"])'
    held = load(text)
    assert sorted((p.line, p.column) for _, p in held.problems) == [(2, 21), (2, 27), (3, 14)]
    assert not [p for _, p in load('prefix_rule(["git", "a b"], match=["git \'a b\' # c"])').problems if p.severity == "error"]


def test_broad_allows_are_left_out_by_the_running_program_alone() -> None:
    text = 'prefix_rule(pattern=["rm"])\nprefix_rule(pattern=["npm", ["run", "test"]])\nprefix_rule(pattern=["bash", "-c"])'
    assert checked(text, "rm", "-rf", "x") == "allow"
    held = load(text)
    assert run(held, "rm -rf x").effect is Effect.ASK
    assert run(held, "npm run build", "untrusted").effect is Effect.ASK
    assert run(held, "npm test", "untrusted").effect is Effect.ALLOW
    assert run(load('prefix_rule(["rm", "-rf"])'), "rm -rf x", "untrusted").effect is Effect.ALLOW
    assert sum(p.code == "ignored" for _, p in held.problems) == 3


def test_an_amendment_is_offered_where_no_rule_asks_and_counts_once_taken() -> None:
    def amendment(command: str, **given: object) -> tuple[str, ...] | None:
        return load(GIT).amendment(Call("exec_command", {"cmd": command, **given}, mode="untrusted", sandbox="read-only"))

    assert amendment("git log && make -j 2 && ls") == ("make", "-j", "2")
    assert amendment("git push && make") is None
    assert amendment("git log") is None
    assert amendment("make all", prefix_rule=["make"]) == ("make",)
    assert amendment("make all", prefix_rule=["python3"]) == ("make", "all")
    assert run(load(GIT), "make -j 2", "untrusted", facts={"approved_prefixes": [["make"]]}).effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('prefix_rule(["git", "push"], "prompt")', "evaded"),
        ('prefix_rule(["git", "push"], "prompt")', "wrapped"),
        ('prefix_rule(["git", "log"])', "unsandboxed"),
        ('prefix_rule(["CI=1", "npm"], "forbidden")', "never"),
        ('prefix_rule(["~/bin/tool"], "forbidden")', "never"),
        ('prefix_rule(["my tool"], "forbidden")', "never"),
        ('prefix_rule(["git", "commit -m"], "prompt")', "one-word"),
        ('prefix_rule(["bash", "-lc"], "prompt")', "whole-only"),
        ('prefix_rule(["git"], "prompt")\nhost_executable("git", ["/usr/bin/git"])', "excluded"),
        ('prefix_rule(["/usr/bin/git"], "prompt")', "by-path"),
        ('prefix_rule(["git", "push"])\nprefix_rule(["git"], "prompt")', "void"),
        ('prefix_rule(["git"])', "ignored"),
    ],
)
def test_rules_that_do_not_do_what_they_say_are_told(text: str, code: str) -> None:
    assert code in codes(load(text))


def test_a_rule_on_the_whole_shell_closes_the_way_around() -> None:
    held = load('prefix_rule(["git", "push"], "prompt")\nprefix_rule(["bash", ["-c", "-lc"]], "prompt")')
    assert "evaded" not in codes(held)
    assert run(held, "git push 2>&1").effect is Effect.ASK


def test_the_configuration_is_checked_too() -> None:
    held = ADAPTER.load([RuleFile("user", "config.toml", 'model = "x"\napproval_policy = "untrusted"\n')])
    assert [(p.line, p.column, p.code) for _, p in held.problems] == [(2, 1, "no-load")]
    assert run(held, "ls").effect is Effect.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        'n = "push"\nprefix_rule(pattern=["git", f"{n}"], decision="prompt")',
        'for w in ["push", "pull"]:\n    if w == "push":\n        prefix_rule(["git", w], "prompt")',
        'def ask(*words, decision="prompt"):\n    prefix_rule(pattern=list(words), decision=decision)\nask("git", "push")',
        '[prefix_rule(k.split(" "), v) for k, v in {"git push": "prompt"}.items()]',
        'd = lambda x: "prompt" if x else "allow"\nprefix_rule(["git"] + ["pu%s" % "sh"], d(True))',
        'prefix_rule(pattern = [\n  "git", ["pull", "push",],\n], decision = "{}{}".format("pro", "mpt"),)',
        'X = ["ls"]\nX = ["git"]\nX.append("push")\nprefix_rule(X[:2], "prompt"); prefix_rule(["ls"])\r\n',
    ],
)
def test_what_starlark_computes_is_computed(text: str) -> None:
    assert checked(text, "git", "push") == "prompt"


@pytest.mark.parametrize(
    "text",
    [
        "import os", "while True:\n    pass", "load('x', 'y')", "x = y = 1", "x = 1 < 2 < 3", "x = 'a' 'b'", "x = {1, 2}", "x = 1 is 1",
        "def f():\n\treturn 1", "x =\t1", "return 1", "print(1)", "if False:\n    nothing()", "x = [c for c in 'abc']", "x = True + 1",
        "x = f'{1 + 1}'", "x = b'a'", "x = 017", "x = [1][5]", "fail('no')", "prefix_rule(('git', 'log'))", "prefix_rule(pattern=None)",
        "prefix_rule([])", "prefix_rule([[]])", "prefix_rule([1])", "prefix_rule(['a'], effect='allow')", "prefix_rule(['a'], 'Allow')",
        "prefix_rule(['a'], justification=' ')", "prefix_rule(['a'], match='a')", "prefix_rule(['a'], match=[''])",
        "prefix_rule(['a'], match=[\"a 'b\"])", "prefix_rule(['a'], match=None)", "host_executable('a/b', [])",
        "host_executable('a', ['b/a'])", "host_executable('a', ['/b'])", "network_rule('*.x', 'http', 'allow')",
        "network_rule('x', 'ftp', 'allow')", "\ufeffx = 1",
    ],
)  # fmt: skip
def test_what_the_program_refuses_is_refused(text: str) -> None:
    held = load(text)
    assert held.broken and [p.code for _, p in held.problems] == ["no-load"]


@pytest.mark.parametrize(
    "text",
    [
        "for i in range(1000000000):\n    pass",
        "x = [0] * 1000000000",
        "x = []\nfor i in range(40):\n    x = [x, x]\ny = str(x)",
        "x = []\nx.append(x)\ny = x == x",
        "x = " + "-" * 50_000 + "1",
        "x = hash('a')",
    ],
)
def test_what_would_run_long_is_not_run_and_the_answer_is_not_known(text: str) -> None:
    held = load(text)
    assert codes(held) == {"not-modelled"} and not held.broken
    assert run(held, "ls").effect is Effect.UNKNOWN


def test_a_script_made_to_keep_a_parser_busy_is_not_read() -> None:
    assert run(load(GIT), "a|" * 5_000 + "b").missing == ("a shorter script",)


def test_other_tools_are_not_the_rules_business() -> None:
    held = load(GIT)
    assert held.judge(Call("update_plan", {}, mode="untrusted")).effect is Effect.ALLOW
    assert held.judge(Call("some_shell", {"command": "git push"}, mode="untrusted")).effect is Effect.ASK
    assert held.judge(Call("apply_patch", {"input": "x"}, mode="untrusted")).effect is Effect.ASK
    assert held.judge(Call("mcp__x__y", {}, mode="never")).effect is Effect.UNKNOWN
    assert held.judge(Call("exec_command", {})).missing == ("the command",)


def test_every_row_of_the_programs_own_answers_agrees() -> None:
    if not ORACLES.is_dir():
        pytest.skip("shared/corpus/oracles is not here")
    wrong = [row for row in table.rows(ORACLES) if row.answer.effect is not row.truth and not row.cause]
    assert [(row.program, row.about) for row in wrong] == []


def test_every_amendment_the_program_offered_is_the_models() -> None:
    path = ORACLES / "codex-live-decisions.jsonl"
    if not path.is_file():
        pytest.skip("shared/corpus/oracles is not here")
    for told in map(json.loads, path.open(encoding="utf-8")):
        if told["outcome"] == "ask" and not told.get("reason", "").startswith("command failed"):
            made = table.live_policy(ORACLES / "codex-rules", told["rules"]).amendment(table.live_call(told))
            assert (list(made) if made else None) == told.get("proposed_amendment"), told


def test_the_real_check_agrees_on_rules_and_commands_made_up_here() -> None:
    program = codex_fresh.program()
    if program is None:
        pytest.skip("codex is not installed")
    pairs = list(codex_fresh.pairs(program, seed=7, commands=20, files=4))
    assert [pair for pair in pairs if pair.program != pair.model] == []
    assert any(pair.program != (None, None) for pair in pairs)


def test_a_program_that_answers_otherwise_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "codex"
    other.write_text("#!/bin/sh\necho '{\"matchedRules\": []}'\n", "utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    wrong = codex_fresh.compare(seed=7, commands=6, files=2, shown=1)
    said = capsys.readouterr().out
    assert 0 < wrong < 12
    assert f"{12 - wrong} of 12 fresh pairs agree" in said
    assert said.count("disagrees on") == 1


def test_what_is_made_up_for_the_check_has_answers_of_every_kind() -> None:
    chance = random.Random(7)
    found: Counter[str | None] = Counter()
    for _ in range(40):
        text = codex_fresh.rules_text(chance)
        held = ADAPTER.load([RuleFile("user", "x.rules", text)], mode="check")
        made = (codex_fresh.command(chance, text) for _ in range(40))
        found.update(codex_fresh.modelled(held, argv, resolve=True, cwd="/x")[0] for argv in made)
    assert {"allow", "prompt", "forbidden", None} <= set(found)


@pytest.mark.parametrize(
    ("command", "inner"),
    [
        ("git push 2>&1", "git push"),
        ("if true; then git push; fi", "git push"),
        ("env A=1 git push", "git push"),
        ("sudo -u root timeout 5 /usr/bin/git push", "git push"),
        ("bash -c 'git push'", "git push"),
        ("eval 'git push'", "git push"),
        ("git -C . push", "git push"),
        ("git push", ""),
        ("git log > x", ""),
        ("echo 'git push' > x", ""),
    ],
)
def test_calls_that_got_past_a_rule_are_named(command: str, inner: str) -> None:
    held = load('prefix_rule(["git", "push"], "prompt")')
    assert [slip.text for slip in held.slips(Call("exec_command", {"cmd": command}, mode="on-request"))] == (
        [inner] if inner else []
    )


def test_a_relative_program_with_listed_paths_needs_the_working_directory() -> None:
    held = load('host_executable("git", ["/w/git"])\nprefix_rule(["git", "push"], "forbidden")')
    assert run(held, "./git push").missing == ("the working directory",)
    call = Call("exec_command", {"cmd": "./git push"}, cwd="/w", mode="never", sandbox="read-only")
    assert held.judge(call).effect is Effect.DENY


def test_a_call_may_ask_for_the_checks_answer() -> None:
    held = load(GIT, "prefix_rule(['rm'])")
    told = {
        mode: held.judge(Call("", {"argv": ["rm", "-rf", "x"]}, mode=mode, sandbox="read-only"))
        for mode in ("check", "on-request")
    }
    assert (told["check"].effect, told["on-request"].effect) == (Effect.ALLOW, Effect.ASK)
    assert held.judge(Call("", {"argv": ["ls"]}, mode="check")).reason == "no rule matches: the check prints no decision"


def test_only_files_of_rules_are_read_by_the_running_program() -> None:
    text = 'prefix_rule(["ls"], "forbidden")'
    held = ADAPTER.load([RuleFile("user", "notes.txt", text)])
    assert (run(held, "ls").effect, codes(held)) == (Effect.ALLOW, {"no-effect"})
    assert run(ADAPTER.load([RuleFile("user", "-", text)]), "ls").effect is Effect.DENY
