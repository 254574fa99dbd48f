"""What an event gains by itself: operations, and MATCH keys that agent's and target's side share."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from chains import enrich
from chains.enrich import MAX_COMMAND
from chains.match import BUCKET_SECONDS, cloud_name, match_names, match_values, package_name, secret_name
from model.event import Event, Key, Operation, Target
from model.words import KeyRole, TargetClass, Verb
from tests.chains_story import REPO, S1, call, effect, event, issued, scope, used, verdict


def keys(one: Event, kind: str) -> set[str]:
    return {k.value for k in enrich(one).keys if k.role is KeyRole.MATCH and k.kind == kind}


def shell(command: str, **attrs: object) -> Event:
    return call(S1, "c", 10, attrs={"command": command, **attrs})


def words_only(values: Iterable[str]) -> tuple[str, ...]:
    """Without the digests of whole commands."""
    return tuple(value for value in values if not value.startswith("words|"))


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ("cd x && git push -f origin main", effect("e", 12)),
        (f"gh pr create --repo {REPO} --fill", effect("e", 12, verb="pr.open")),
        (
            "vault kv get -format=json kv/prod/pay/db",
            effect("e", 12, verb="secret.read", target="secret_store:kv/data/prod/pay/db"),
        ),
        (
            "aws secretsmanager get-secret-value --secret-id prod/hook",
            effect("e", 12, verb="secret.read", target="secret_store:prod/hook"),
        ),
    ],
)
def test_both_sides_of_one_deed_share_a_bucket(command: str, seen: Event) -> None:
    assert keys(shell(command), "match") & keys(seen, "match")


@pytest.mark.parametrize(
    ("command", "joins"),
    [
        ("cd ../web && git push origin main", False),
        ("(cd ../web && git push origin main)", False),
        ("git -C /home/ada/web push origin main", False),
        ("git -C ../web --git-dir=.git push origin main", False),
        ("cd ~/web; git push", False),
        ("cd ../web && gh pr create --fill && git push", False),
        ("(cd ../web && make); git push origin main", True),
        ("git -C /home/ada/payments push origin main", True),
        ("cd ~/payments && git push", True),
        ("cd /home/ada/payments/lib && git push", True),
        ("cd .. && cd payments && git push", True),
        ("cd lib && git push", True),
        ("pushd ../web; popd; git push", True),
        ('cd "$(git rev-parse --show-toplevel)" && git push', True),
    ],
)
def test_a_push_from_a_folder_beside_the_one_worked_in_is_of_another_repository(command: str, joins: bool) -> None:
    values = set(match_values(enrich(shell(command, cwd="/home/ada/payments"))))
    assert ("repo.write|acme/payments" in values) is joins
    assert ("repo.write|~web" in values) is not joins


def test_where_a_push_went_from_is_unknown_without_the_folder_worked_in() -> None:
    for command in ("cd ../web && git push", "git -C /srv/web push", "cd ~/web && git push"):
        assert "repo.write|acme/payments" not in match_values(enrich(shell(command)))


@pytest.mark.parametrize(
    "value", ["0" * 32, "00000000-0000-0000-0000-000000000000", "null", "<nil>", "(None)", " undefined ", "f" * 32]
)
def test_a_word_for_no_identifier_is_no_key(value: str) -> None:
    one = replace(shell("true"), keys=(Key(KeyRole.SCOPE, "trace", value), Key(KeyRole.CALL, "call", "c1")))
    assert [k.name for k in enrich(one).keys if k.role is not KeyRole.MATCH] == ["call:c1"]


@pytest.mark.parametrize("value", ["0", "00", "none-of-it", "000000000001", "fff", "naught", "[build]"])
def test_an_odd_identifier_is_a_key_all_the_same(value: str) -> None:
    one = replace(shell("true"), keys=(Key(KeyRole.SCOPE, "session", value),))
    assert f"session:{value}" in [k.name for k in enrich(one).keys]


@pytest.mark.parametrize("command", ["git commit -m x", "git push --dry-run origin main", "git status", "echo git push"])
def test_what_stays_on_the_machine_has_no_bucket_of_a_push(command: str) -> None:
    assert not keys(shell(command), "match") & keys(effect("e", 12), "match")


def test_a_push_to_an_unknown_repository_is_not_matched() -> None:
    assert words_only(match_values(enrich(shell("git push origin main", repository="")))) == ()
    assert words_only(match_values(enrich(shell("git -C ../web push origin main")))) == ()


def test_the_folder_worked_in_stands_for_a_repository_of_its_name() -> None:
    here = shell("git push origin main", repository="", cwd="/home/dana/src/payments/")
    assert words_only(match_values(enrich(here))) == ("repo.write|~payments",)
    assert "repo.write|~payments" in match_values(enrich(effect("e", 12)))
    assert keys(here, "user") == {"dana"}
    assert keys(shell("ls", cwd="/home/dana/src"), "user") == set()


def test_a_call_and_a_verdict_share_the_words_of_a_command_or_the_digest_of_arguments() -> None:
    asked = verdict("d", 1, verb="exec", attrs={"command": "npm  test "})
    assert set(match_values(enrich(asked))) == set(match_values(enrich(shell("npm test"))))
    told = call(S1, "c", 10, verb="unknown", attrs={"arguments": "00ff"})
    assert match_values(enrich(told)) == ("words|00ff",)


def test_a_token_for_a_repository_is_filed_where_its_use_will_be() -> None:
    given = issued("i", 9, "credential token:t", target=f"repository:{REPO}", verb="credential.issue")
    assert keys(given, "match") & keys(shell("git push origin main"), "match")
    role = issued("r", 9, "credential aws.key:A", verb="credential.issue", target="cloud:sts@arn:aws:iam::1:role/Deploy")
    assert keys(role, "match") & keys(shell("aws sts assume-role --role-arn arn:aws:iam::1:role/deploy"), "match")


@pytest.mark.parametrize(
    ("told", "logged"), [("cloudwatch:DescribeAlarms", "monitoring.amazonaws.com"), ("s3api:PutObject", "s3.amazonaws.com")]
)
def test_a_cloud_service_is_one_under_both_its_names(told: str, logged: str) -> None:
    assert cloud_name(Target(TargetClass.CLOUD, told)) == cloud_name(Target(TargetClass.CLOUD, logged))


def test_a_call_that_gives_rights_is_found_by_the_command_that_asked_for_it() -> None:
    seen = effect("e", 12, verb="guardrail.change", target="cloud:iam:AttachUserPolicy")
    assert keys(seen, "match") & keys(shell("aws iam attach-user-policy --user-name u --policy-arn p"), "match")


def test_a_bucket_holds_a_quarter_of_an_hour_and_is_found_from_its_neighbour() -> None:
    edge = 1_780_000_200_000_000 // (BUCKET_SECONDS * 1_000_000) * BUCKET_SECONDS * 1_000_000
    before, after = match_names(["v"], edge - 1), match_names(["v"], edge)
    assert before != after
    assert set(before + after) <= set(match_names(["v"], edge, 1_000_000))


def test_an_event_without_a_time_has_no_bucket() -> None:
    assert keys(replace(effect("e", 12), at=None), "match") == set()


def test_who_holds_a_credential_is_filed_apart_from_who_merely_used_it() -> None:
    token = "credential token:t"
    assert keys(issued("i", 1, token), "holder") == {"token:t"}
    assert keys(used("u", 1, scope(S1), token), "holder") == {"token:t"}
    assert keys(used("u", 1, token), "holder") == set()


def test_unscoped_events_name_their_record_and_agent() -> None:
    seen = effect("e", 1, attrs={"user_agent": "claude-code/2.1 node"})
    assert keys(seen, "record") == {seen.record}
    assert keys(seen, "agent") == {"claude-code"}
    assert keys(replace(seen, keys=(Key(KeyRole.SCOPE, "session", S1),)), "record") == set()


def test_commits_are_filed_by_their_first_digits() -> None:
    assert keys(effect("e", 1, "reference commit:0123456789abcdef"), "sha") == {"0123456"}
    assert keys(effect("e", 1, "reference commit:0123"), "sha") == set()


@pytest.mark.parametrize(
    ("path", "verb"),
    [
        ("/w/.github/workflows/ci.yml", Verb.CI_MODIFY),
        ("C:\\w\\.github\\workflows\\ci.yaml", Verb.CI_MODIFY),
        ("/w/CLAUDE.md", Verb.INSTRUCTIONS_WRITE),
        ("/w/AGENTS.md", Verb.INSTRUCTIONS_WRITE),
        ("/home/d/.claude/settings.json", Verb.GUARDRAIL_CHANGE),
        ("/w/.git/hooks/pre-commit", Verb.GUARDRAIL_CHANGE),
    ],
)
def test_writing_some_files_is_more_than_writing_a_file(path: str, verb: Verb) -> None:
    written = call(S1, "c", 1, verb="file.write", target=Target(TargetClass.FILESYSTEM, path), attrs={"path": path})
    assert [op.verb for op in enrich(written).operations] == [verb]
    assert enrich(replace(written, verb=Verb.FILE_READ)).operations == ()


@pytest.mark.parametrize("path", ["/w/docs/agents-guide.md", "/w/workflows/ci.yml", "/w/src/main.py", ""])
def test_writing_other_files_is_writing_a_file(path: str) -> None:
    written = call(S1, "c", 1, verb="file.write", target=Target(TargetClass.FILESYSTEM, path), attrs={"path": path})
    assert enrich(written).operations == ()


def test_a_command_too_long_to_parse_is_unknown_never_safe() -> None:
    (only,) = enrich(shell("true " * (MAX_COMMAND // 4))).operations
    assert (only.verb, only.certain) == (Verb.UNKNOWN, False)


def test_operations_a_log_states_are_believed() -> None:
    stated = replace(shell("git push origin main"), operations=(Operation(Verb.CLOUD_CALL),))
    assert enrich(stated).operations == stated.operations


def test_a_request_without_a_target_gets_its_host() -> None:
    asked = event(
        "h", "action", "call", "agent", "x", 1, verb="http.request", attrs={"url": "https://Api.Example.com:8443/v1?q=1"}
    )
    assert enrich(asked).target == Target(TargetClass.NETWORK, "api.example.com")


def test_names_lose_what_only_one_side_writes() -> None:
    assert secret_name("/kv/data/prod/db") == secret_name("kv/prod/db") == "kv/prod/db"
    assert secret_name("arn:aws:secretsmanager:eu-1:12:secret:prod/db-AbCdEf") == "prod/db"
    assert package_name("left-pad@1.3.0") == package_name("npm:left-pad") == "left-pad"
    assert package_name("@scope/lib@2") == "@scope/lib"
    assert package_name("requests==2.1") == "requests"
