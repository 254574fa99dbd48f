"""What a program printed of what it reached places the target's record at its call; and what prints nothing of the kind does not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chains import MemoryIndex, affected, attribute, task_id
from chains.printed import printed_values
from importers.shared.agents import references_in
from model.event import Event
from model.words import LinkKind
from tests.chains_placed import of, place
from tests.chains_story import S1, S2, call, effect, event, facts, ready, result, scope, verdict

T1 = task_id(f"session:{S1}")
PUSHED = "To https://github.com/acme/till.git\n   1111111..2222222  main -> main"
PUBLISHED = "npm notice total files: 4\n+ till@1.4.0"


def tasks(*events: Event) -> list[str]:
    """The task of each event, each asked for on its own."""
    index = MemoryIndex(ready(events))
    return [attribute([index.stubs[one.id]], index, facts(), {})[0].task for one in events]


def session(name: str, seconds: float, command: str, printed: str) -> list[Event]:
    asked = call(name, f"c-{name}", seconds, attrs={"command": command, "repository": "", "cwd": "/srv/checkout"})
    return [asked, result(name, f"c-{name}", seconds + 4, attrs={"output": printed})]


def seen(
    id: str, seconds: float, target: str, verb: str = "repo.write", who: str = "lee-gh", point: str = "github:acme"
) -> Event:
    return effect(id, seconds, verb=verb, target=target, who=who, point=point)


@pytest.mark.parametrize(
    ("printed", "values"),
    [
        (PUSHED, ("repo.write|acme/till",)),
        (
            "To git@github.com:acme/till.git\n ! [remote rejected] main -> main (protected branch hook declined)",
            ("repo.write|acme/till",),
        ),
        ("To git@github.com:acme/till.git\n ! [rejected]        main -> main (fetch first)", ()),
        ("To git@github.com:acme/till.git\n = [up to date]      main -> main", ()),
        ("From ssh://git@git.acme.example/acme/till\n * branch  main -> FETCH_HEAD", ("repo.read|acme/till",)),
        (PUBLISHED, ("package.publish|till",)),
        ("+ @acme/till@1.4.0-rc.1", ("package.publish|@acme/till",)),
        (
            "Uploading distributions to https://upload.pypi.org/legacy/\nUploading Acme_Till-1.4.0-py3-none-any.whl",
            ("package.publish|acme-till",),
        ),
        (" - Uploading till-1.4.0.tar.gz 100%", ("package.publish|till",)),
        ("    Updating crates.io index\n   Uploading till v1.4.0 (/w/till)", ("package.publish|till",)),
        ("The push refers to repository [ghcr.io/acme/till]\n5f70bf18a086: Pushed", ("package.publish|acme/till",)),
        ("+ left-pad@1.3.0\nadded 1 package in 2s", ()),
        ("To https://github.com/acme/till.git", ()),
        ("To be done:\n - a -> b", ()),
        ("ok", ()),
    ],
    ids=[
        "push",
        "refused",
        "not sent",
        "up to date",
        "fetch",
        "publish",
        "publish scoped",
        "twine",
        "poetry",
        "cargo",
        "docker",
        "install",
        "address alone",
        "prose",
        "nothing",
    ],
)
def test_only_what_git_and_npm_print_of_a_transfer_counts(printed: str, values: tuple[str, ...]) -> None:
    assert printed_values(result(S1, "c", 4, attrs={"output": printed})) == values
    assert printed_values(effect("e", 4, attrs={"output": printed})) == ()


def test_a_push_is_found_by_the_repository_git_printed_and_another_is_not() -> None:
    mine, others = session(S1, 10, "git push origin main", PUSHED), session(S2, 11, "git push", PUSHED.replace("till", "shop"))
    till, shop = seen("till", 12, "repository:acme/till"), seen("shop", 13, "repository:acme/shop")
    later, third = seen("later", 4000, "repository:acme/till"), seen("third", 12, "repository:acme/third")
    assert tasks(*mine, *others, till, shop, later, third)[4:] == [T1, task_id(f"session:{S2}"), "", ""]
    assert tasks(mine[0], till)[1] == ""


@pytest.mark.parametrize(
    ("command", "ran"), [("cat ci.log", False), ("tail -50 ci.log | grep To", False), ("make release && cat out.log", True)]
)
def test_who_reads_a_log_of_a_push_did_not_push(command: str, ran: bool) -> None:
    till = seen("till", 12, "repository:acme/till")
    assert tasks(*session(S1, 10, command, PUSHED), till)[2] == (T1 if ran else "")


@pytest.mark.parametrize(
    ("verb", "target"), [("file.read", "filesystem:/srv/ci.log"), ("mcp.call", "mcp_server:ci@job_log"), ("http.request", "")]
)
def test_what_is_read_or_asked_for_tells_of_nothing_the_agent_did(verb: str, target: str) -> None:
    asked = call(
        S1, "c1", 10, verb=verb, attrs={"repository": "", "cwd": "/srv/checkout"}, **({"target": target} if target else {})
    )
    assert tasks(asked, result(S1, "c1", 14, attrs={"output": PUSHED}), seen("till", 12, "repository:acme/till"))[2] == ""


def test_a_publication_is_found_by_the_package_npm_printed() -> None:
    story = session(S1, 10, "npm publish", PUBLISHED)
    mine = seen("mine", 12, "package_registry:till@1.4.0", "package.publish", point="verdaccio")
    other = seen("other", 12, "package_registry:shop@1.4.0", "package.publish", point="verdaccio")
    assert tasks(*story, mine, other)[2:] == [T1, ""]


def test_what_was_printed_late_moves_what_was_placed_before() -> None:
    asked, told = ready(session(S1, 10, "git push origin main", PUSHED))
    (till,) = ready([seen("till", 12, "repository:acme/till")])
    index = MemoryIndex([asked, told, till])
    assert till.id in [stub.id for stub in affected([index.stubs[told.id]], index, facts())]
    (answer,) = attribute([index.stubs[till.id]], index, facts(), {})
    (link,) = answer.links
    assert (link.kind, link.source, link.key) == (LinkKind.INFERRED, asked.id, "match:repo.write|acme/till")


def test_a_proxy_that_saw_the_tunnel_saw_the_request() -> None:
    asked = call(S1, "c1", 10, attrs={"command": "curl -sS https://files.example.com/x"})
    tunnel = seen("tunnel", 11, "network:files.example.com", "net.connect", "", "squid")
    beside = seen("beside", 11, "network:other.example.com", "net.connect", "", "squid")
    assert tasks(asked, result(S1, "c1", 14), tunnel, beside)[2:] == [T1, ""]


@pytest.mark.parametrize("started", ["git push origin main", "/usr/bin/git push origin main", 'git push "origin" main'])
def test_a_witness_sees_one_program_of_a_command(started: str) -> None:
    asked = call(S1, "c1", 10, attrs={"command": "cd /srv && npm test && git push origin main", "cwd": "/srv"})
    witness = verdict("exec", 10, verb="exec", point="kernel", who="", attrs={"command": started})
    assert tasks(asked, witness)[1] == T1
    other = verdict("exec", 10, verb="exec", point="kernel", who="", attrs={"command": "git push origin next"})
    assert tasks(asked, other)[1] == ""


@pytest.mark.parametrize(
    ("who", "joined"),
    [("dana", True), ("lee", False), ("root", True), ("uid:1001", True)],
    ids=["own", "other", "root", "number"],
)
def test_a_witness_that_names_another_account_saw_another_call(who: str, joined: bool) -> None:
    asked = call(S1, "c1", 10, attrs={"command": "git push origin main", "cwd": "/home/dana/till"})
    started = event(
        "exec", "effect", "observed", "witness", "kernel", 11, verb="exec", who=who, attrs={"command": "git push origin main"}
    )
    assert tasks(asked, result(S1, "c1", 14), started)[2] == (T1 if joined else "")
    unnamed = event("args", "effect", "observed", "witness", "kernel", 11, "call auditd.serial:7", verb="exec",
                    attrs={"command": "git push origin main"})  # fmt: skip
    beside = event("call", "effect", "observed", "witness", "kernel", 11, "call auditd.serial:7", verb="exec", who=who)
    assert tasks(asked, result(S1, "c1", 14), unnamed, beside)[2:] == ([T1, T1] if joined else ["", ""])


def test_one_act_that_two_logs_of_a_target_tell_is_not_two() -> None:
    story = session(S1, 10, "git push origin main", PUSHED)
    logged, hooked = seen("logged", 12, "repository:acme/till"), seen("hooked", 13, "repository:acme/till")
    assert tasks(*story, logged, hooked)[2:] == [T1, T1]
    assert tasks(*story, logged, seen("again", 17, "repository:acme/till"))[2:] == [T1, ""]


def test_of_two_persons_who_did_the_same_during_a_call_neither_is_taken_for_the_agent() -> None:
    story = session(S1, 10, "git push origin main", PUSHED)
    first, second = seen("first", 12, "repository:acme/till"), seen("second", 13, "repository:acme/till", who="kim-gh")
    assert tasks(*story, first, second)[2:] == ["", ""]
    beside = seen("beside", 16, "repository:acme/till", who="kim-gh")
    assert tasks(*story, first, beside)[2:] == [T1, ""]
    at_home = call(S1, "c9", 10, attrs={"command": "git push origin main", "cwd": "/home/kim/till", "repository": "acme/till"})
    assert tasks(at_home, result(S1, "c9", 14), first, second)[2:] == ["", T1], "the agent works in the home of one of them"


@pytest.mark.parametrize(
    ("printed", "commits"),
    [
        ("To github.com:acme/till.git\n   1111111..2222222  main -> main", ["commit:2222222"]),
        ("To github.com:acme/till.git\n + 1111111...2222222 main -> main (forced update)", ["commit:2222222"]),
        ("To github.com:acme/till.git\n ! [rejected]        main -> main (fetch first)", []),
        ("From github.com:acme/till\n   1111111..2222222  main -> origin/main", []),
        ("To github.com:acme/till.git\n * [new branch]      fix -> fix", []),
    ],
    ids=["push", "forced", "rejected", "fetch", "new branch"],
)
def test_the_head_that_git_pushed_is_a_commit_of_the_call(printed: str, commits: list[str]) -> None:
    assert [key.name for key in references_in(printed)] == commits


def test_the_push_of_another_that_came_first_is_not_the_one_that_was_turned_down() -> None:
    turned_down = session(S1, 10, "git push origin main", PUSHED.replace("   1111111..2222222 ", " ! [rejected]       "))
    assert tasks(*turned_down, seen("theirs", 11, "repository:acme/till", who="kim-gh"))[2:] == [""]


RUN = "run-Ab12Cd34Ef56Gh78"
BEGUN = (
    "Running apply in HCP Terraform. Output will stream here.\n\nPreparing the remote apply...\n\n\x1b[0mTo view this run in a browser, visit:\n"
    f"https://app.terraform.io/app/acme/payments/runs/{RUN}\x1b[0m\n\nWaiting for the plan to start...\n"
)


@pytest.mark.parametrize(("printed", "mine"), [(BEGUN, True), (BEGUN.replace("Preparing the remote apply...", ""), False)])
def test_the_run_that_terraform_says_it_began_elsewhere_is_its_calls(printed: str, mine: bool) -> None:
    asked = call(S1, "c1", 10, attrs={"command": "terraform apply"})
    ended = event("end", "action", "result", "agent", "claude-code", 60, scope(S1), "call call:c1", attrs={"output": printed})
    ended = replace(ended, keys=(*ended.keys, *references_in(printed)))
    made, other, confirmed = (
        event(name, "effect", "observed", "target", "terraform", seconds, f"reference terraform.run:{run}", verb="ci.run",
              target=f"ci_cd:terraform/run/{run}@create", who=who)
        for name, seconds, run, who in (("a", 20, RUN, "ada"), ("b", 21, "run-Zz98Yy76Xx54Ww32", "bob"), ("c", 9_000, RUN, "bob"))
    )  # fmt: skip
    found = place([asked, ended, made, other, confirmed])
    assert [of(found, one).task for one in (made, other, confirmed)] == [T1 if mine else "", "", T1 if mine else ""]
