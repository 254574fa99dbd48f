"""Verdicts as reviewers give them: second reviewers, withdrawal, reopening, comments, assignments and accepted risks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from chains.facts import OrgFacts
from model.chain import Finding
from model.org import Org
from model.review import Verdict
from model.words import Severity, VerdictWord
from review import workspace as places
from review.errors import NotFoundError, RemitError
from review.judge.comments import assign, comment, comments, people
from review.judge.exceptions import accept_risk, end_exception, exceptions
from review.judge.remedies import remedies, remedy
from review.judge.verdicts import before_verdict, give_verdict, give_verdicts, history, recent_reasons, withdraw_verdict
from review.pack.attesting import attest, attestations, sign_off, withdraw
from review.pack.pack_wish import PackWish
from review.pack.packs import pack_input, write_pack
from review.pack.report_choices import Period
from review.pack.report_room import Room
from review.pack.sign_offs import sign_off_state
from review.show.listings import finding_documents
from review.show.sentences import sentences
from review.show.showing import show
from review.show.tasks import tasks
from review.state.agreement import second
from review.state.overdue import overdue
from review.state.standing import Standing
from review.workspace import Workspace
from store import Store, open_store
from tests.store_fixtures import make_chain, make_finding, make_step

KEY = "5a" * 32
FAR = 4_000_000_000_000_000
"""A moment by which everything is overdue."""
As = Callable[[str], None]


@pytest.fixture
def work(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A store with one critical task, run for dana, and two others; `lee` sits at it."""
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    monkeypatch.setattr(places, "whoami", lambda: "lee")
    with open_store(sqlite_url) as store:
        fill(store)
        yield at(store, sqlite_url)


def at(store: Store, url: str) -> Workspace:
    return Workspace(store, url, OrgFacts(Org(identities={"dana.w": ("dana@acme.example",)})))


@pytest.fixture
def sit(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> As:
    """Have somebody else sit at the store."""

    def change(who: str) -> None:
        work.__dict__.pop("identity", None)
        monkeypatch.setattr(places, "whoami", lambda: who)

    return change


def fill(store: Store) -> None:
    steps = [make_step("task-1", n) for n in (1, 2)]
    steps[0].records = ["rec-1"]
    found: list[Finding] = [
        make_finding("task-1", "a", severity=Severity.CRITICAL, step=steps[0].id),
        make_finding("task-1", "b", severity=Severity.LOW),
    ]
    store.save_chain(make_chain("task-1", steps, ["rec-1"], principal="dana@acme.example", repository="acme/pay"), found)
    for id, repository in (("task-2", "acme/pay"), ("task-3", "acme/web")):
        store.save_chain(make_chain(id, records=[id], repository=repository, agent="codex"), [make_finding(id, id)])


def named(work: Workspace, task: str, severity: Severity = Severity.HIGH) -> str:
    return next(one.id for one in work.store.findings_of(task) if one.severity is severity)


def review_of(work: Workspace, task: str) -> dict[str, object]:
    found: dict[str, object] = next(row["review"] for row in tasks(work.store) if row["id"] == task)
    return found


def test_a_critical_verdict_waits_for_another_identity(work: Workspace, sit: As) -> None:
    first = give_verdict(work, "task-1", "within-remit", "a drill")
    assert first["critical"] and first["pending_second"] and "unenforced" in first["separation"]
    again = give_verdict(work, "task-1", "within-remit", "a drill, as agreed")
    assert again["pending_second"], "the same identity twice is one"
    asserted = give_verdict(work, "task-1", "within-remit", "so says kim", reviewer="kim")
    assert asserted["asserted"] and asserted["by"] == "lee" and asserted["pending_second"], "a name that is only stated is none"
    assert review_of(work, "task-1")["pending_second"] is True
    sit("kim")
    settled = give_verdict(work, "task-1", "within-remit", "I looked as well")
    assert not settled["pending_second"] and settled["second"] == "kim"
    assert review_of(work, "task-1")["pending_second"] is False and review_of(work, "task-1")["second"] == "kim"


@pytest.mark.parametrize("who", ["dana.w", "dana@acme.example", "dana"])
def test_the_agents_own_principal_is_never_the_second(work: Workspace, sit: As, who: str) -> None:
    give_verdict(work, "task-1", "within-remit", "a drill")
    sit(who)
    own = give_verdict(work, "task-1", "within-remit", "it was mine")
    assert own["pending_second"] and "cannot be the second reviewer" in own["note"]
    sit("kim")
    assert not give_verdict(work, "task-1", "within-remit", "fine")["pending_second"]


def test_a_finding_and_a_step_are_critical_as_what_they_hold(work: Workspace) -> None:
    critical, low = named(work, "task-1", Severity.CRITICAL), named(work, "task-1", Severity.LOW)
    first, second_step = work.store.steps("task-1")
    wanted = {critical: True, low: False, first.id: True, second_step.id: False, "task-2": False}
    assert {id: give_verdict(work, id, "outside-remit", "so")["pending_second"] for id in wanted} == wanted
    assert not give_verdict(work, critical, "escalate", "not mine to say")["pending_second"], "handing on settles nothing"


def test_reviewers_who_disagree_are_told(work: Workspace, sit: As) -> None:
    give_verdict(work, "task-1", "within-remit", "a drill")
    sit("kim")
    other = give_verdict(work, "task-1", "outside-remit", "no drill was planned")
    assert other["pending_second"] and other["disagreement"]
    assert before_verdict(work, "task-1")["last"]["disagreement"] and before_verdict(work, "task-1")["mine"]
    sit("sam")
    assert not give_verdict(work, "task-1", "outside-remit", "none was")["pending_second"]


def judged(by: str, word: VerdictWord = VerdictWord.WITHIN, evidence: str = "e", **more: bool) -> Verdict:
    return Verdict("t", "task", word, "r", by, 1, evidence=evidence, by=by, critical=True, **more)


@pytest.mark.parametrize(
    ("given", "pending", "agreed", "disagree"),
    [
        ([], False, "", False),
        ([judged("a")], True, "", False),
        ([judged("a"), judged("b")], False, "b", False),
        ([judged("a"), judged("b"), judged("a")], False, "b", False),
        ([judged("a", evidence="old"), judged("b")], True, "", False),
        ([judged("a", own=True), judged("b")], False, "b", False),
        ([judged("a"), judged("b", own=True)], True, "", False),
        ([judged("a"), judged("a", VerdictWord.OUTSIDE), judged("b")], True, "", True),
        ([judged("a", VerdictWord.ESCALATE), judged("b"), judged("c")], False, "c", False),
    ],
)  # fmt: skip
def test_what_a_second_review_is(given: list[Verdict], pending: bool, agreed: str, disagree: bool) -> None:
    found = second(given)
    assert (found.pending, found.agreed, found.disagree) == (pending, agreed, disagree)


def test_only_ones_own_verdict_is_withdrawn(work: Workspace, sit: As) -> None:
    first = give_verdict(work, "task-2", "outside-remit", "a push")
    sit("kim")
    mine = give_verdict(work, "task-2", "within-remit", "a planned push")
    with pytest.raises(RemitError, match="given by lee"):
        withdraw_verdict(work, first["seq"], "no")
    with pytest.raises(RemitError, match="needs a reason"):
        withdraw_verdict(work, "task-2", "  ")
    gone = withdraw_verdict(work, "task-2", "wrong task")
    assert gone["withdraws"] == mine["seq"] and review_of(work, "task-2")["verdict"] == "outside-remit"
    with pytest.raises(NotFoundError, match="no verdict"):
        withdraw_verdict(work, "task-2", "again")
    with pytest.raises(RemitError, match="already"):
        withdraw_verdict(work, str(mine["seq"]), "again")
    assert [(row["verdict"], row["withdrawn"], "withdraws" in row) for row in history(work, "task-2")] == [
        ("outside-remit", False, False), ("within-remit", True, False), ("within-remit", False, True)]  # fmt: skip
    assert recent_reasons(work) == [] and [one.what for one in work.store.journal()] == ["verdict", "verdict", "withdraw"]


def test_verdicts_on_many_are_all_given_or_none(work: Workspace) -> None:
    with pytest.raises(NotFoundError):
        give_verdicts(work, ["task-2", "task-99"], "escalate", "one owner")
    with pytest.raises(RemitError, match="reason"):
        give_verdicts(work, ["task-2"], "escalate", " ")
    assert work.store.verdicts() == []
    assert [row["subject"] for row in give_verdicts(work, ["task-2", "task-3", "task-2"], "escalate", "one owner")] == [
        "task-2", "task-3"]  # fmt: skip


def test_changed_evidence_reopens_a_step_and_a_finding_and_their_findings_are_due_again(work: Workspace) -> None:
    step = work.store.steps("task-1")[0]
    finding = named(work, "task-1", Severity.CRITICAL)
    give_verdict(work, step.id, "within-remit", "looked")
    due = {one for found in overdue(work, as_of=FAR) for one in found.why.split() if one == finding}
    assert due == set(), "a verdict on the step covers its finding"
    step.records = ["rec-1", "rec-2"]
    work.store.save_chain(
        make_chain("task-1", [step], ["rec-1", "rec-2"]), [make_finding("task-1", "a", severity=Severity.CRITICAL, step=step.id)]
    )
    assert before_verdict(work, step.id)["reopened"]
    told = overdue(work, as_of=FAR)
    assert any(one.task == "task-1" for one in told)


def test_comments_are_redacted_and_counted(work: Workspace) -> None:
    step = work.store.steps("task-1")[0]
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    comment(work, "task-1", f"look at {secret}")
    comment(work, step.id, "**here**")
    told = comments(work, "task-1")
    assert [(one["kind"], one["by"]) for one in told] == [("task", "lee"), ("step", "lee")]
    assert secret not in told[0]["text"] and "REDACTED" in told[0]["text"]
    assert [one["text"] for one in comments(work, step.id)] == ["**here**"]
    assert review_of(work, "task-1")["comments"] == 2 and review_of(work, "task-2")["comments"] == 0
    for bad in ("  ", "x" * 20_001):
        with pytest.raises(RemitError):
            comment(work, "task-1", bad)


def test_a_task_is_given_to_somebody_and_to_nobody(work: Workspace) -> None:
    step = work.store.steps("task-1")[0]
    given = assign(work, [step.id, "task-2", "task-1"], "me", "mine")
    assert [(row["task"], row["assignee"]) for row in given] == [("task-1", "lee"), ("task-2", "lee")]
    assign(work, ["task-2"], "kim")
    assert (review_of(work, "task-1")["assignee"], review_of(work, "task-2")["assignee"]) == ("lee", "kim")
    assert people(work) == ["kim", "lee"]
    assign(work, ["task-2"], "")
    assert review_of(work, "task-2")["assignee"] is None


def accept(work: Workspace, id: str, **more: str) -> dict[str, object]:
    given = {"owner": "kim", "ticket": "PAY-1", "expires": "2999-01-01", "reason": "known"} | more
    return accept_risk(work, id, **given)  # type: ignore[arg-type]


def test_an_accepted_risk_says_what_it_hides_and_ends(work: Workspace) -> None:
    one = named(work, "task-2")
    alone = accept(work, one)
    reach = accept(work, one, scope="repository")
    assert (alone["hides"], reach["hides"], reach["where"]) == (1, 3, "acme/pay")
    assert accept(work, one, scope="agent")["hides"] == 2 and accept(work, one, scope="task")["hides"] == 1
    hidden = {row["id"] for row in finding_documents(work, work.store.findings()) if "exception" in row["review"]}
    assert hidden == {found.id for found in work.store.findings()}
    assert {row.finding for row in pack_input(work, None, None, None).exceptions} == hidden
    for number in (2, 3, 4):
        assert end_exception(work, number, "fixed")["state"] == "ended"
    assert [(row["seq"], row["state"]) for row in exceptions(work)] == [
        (1, "in force"), (2, "ended"), (3, "ended"), (4, "ended")]  # fmt: skip
    hidden = {row["id"] for row in finding_documents(work, work.store.findings()) if "exception" in row["review"]}
    assert hidden == {one} and Standing(work.store).accepted_until(one) is not None
    with pytest.raises(NotFoundError):
        end_exception(work, 2, "again")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"owner": " "}, "--owner"),
        ({"ticket": ""}, "--ticket"),
        ({"reason": ""}, "--reason"),
        ({"expires": "2001-01-01"}, "past"),
        ({"expires": "soon"}, "--expires"),
        ({"scope": "agent"}, "no agent is known"),
    ],
)
def test_an_accepted_risk_without_an_owner_ticket_end_or_reason_is_none(work: Workspace, more: dict[str, str], why: str) -> None:
    with pytest.raises(RemitError, match=why):
        accept(work, named(work, "task-1", Severity.LOW), **more)
    assert work.store.exceptions() == []


def test_a_task_has_no_risk_of_its_own_to_accept(work: Workspace) -> None:
    with pytest.raises(RemitError, match="only a finding's risk"):
        accept(work, "task-1")


def test_a_remedy_is_stated_piece_by_piece_and_stands_in_a_pack_as_of_its_time(work: Workspace, tmp_path: Path) -> None:
    finding = named(work, "task-2")
    for wrong, why in (({}, "--cause"), ({"due": "soon"}, "due: 'soon' is not a time")):
        with pytest.raises(RemitError, match=why):
            remedy(work, finding, **wrong)
    with pytest.raises(RemitError, match="only a finding is put right"):
        remedy(work, "task-2", owner="kim")
    first = remedy(work, finding, cause="no limit was set", owner="kim", due="2020-01-01")
    assert (first["state"], first["task"]) == ("overdue", "task-2")
    assert remedy(work, finding, closure="PR 88")["state"] == "done" and remedies(work)[0]["cause"] == "no limit was set"
    assert remedy(work, finding, closure="", due="")["state"] == "under way"
    assert show(work, finding)["finding"]["remedy"]["owner"] == "kim"
    assert any("Remedy of finding" in one and "no limit was set" in one for one in sentences(show(work, finding)))
    (held,) = pack_input(work, None, None, None).remedies
    assert (held.owner, held.due, held.closure, held.by) == ("kim", 0, "", "lee")
    assert pack_input(work, None, None, None, reviewed_until=5).remedies == ()
    assert work.store.verify_journal().ok and work.store.finding(finding) is not None
    remedy(work, finding, cause="", owner="")
    assert remedies(work, finding) == [] == list(pack_input(work, None, None, None).remedies)


def test_attestations_and_sign_offs_stand_in_a_pack_as_of_their_time(work: Workspace) -> None:
    attest(work, "owasp-asi-2026", "asi01", "reviewed by hand")
    signed = sign_off(work, "all looked at", reviewer="kim")
    assert signed["asserted"] and signed["reviewer"] == "kim" and signed["by"] == "lee"
    pack = pack_input(work, None, None, None)
    assert [(one.control, one.who) for one in pack.attestations] == [("ASI01", "lee")]
    assert [(one.who, one.asserted) for one in pack.sign_offs] == [("kim", True)]
    assert pack.journal.seq == 2 and not pack.separation_enforced
    early = pack_input(work, None, None, 5)
    assert early.attestations == early.sign_offs == () and early.journal.head == ""
    assert len(attestations(work)) == 2
    with pytest.raises(RemitError, match="owasp-asi-2026 has no such control"):
        attest(work, "owasp-asi-2026", "nope", "text")
    with pytest.raises(RemitError, match="--text"):
        sign_off(work, " ")


def test_an_attestation_names_its_control_its_ground_and_its_end_and_is_withdrawn_by_a_row(work: Workspace) -> None:
    given = attest(work, "", "AC-02(09)", "no shared accounts", evidence="GRC-12", expires="2999-01-01")
    assert (given["framework"], given["control"]) == ("nist-sp800-53r5-selected", "AC-2(9)")
    assert given["correction"] == "published as AC-2(9)" and given["state"] == "in force"
    (held,) = pack_input(work, None, None, None).attestations
    assert (held.control, held.evidence, held.expires) == ("AC-2(9)", "GRC-12", 32472144000000000)
    with pytest.raises(RemitError, match="stands for NHI7:2025, NHI5:2025"):
        attest(work, "nhi", "NHI-03", "text")
    with pytest.raises(RemitError, match="lies in the past"):
        attest(work, "asi", "ASI01", "text", expires="2020-01-01")
    with pytest.raises(RemitError, match="--text"):
        withdraw(work, given["seq"], " ")
    gone = withdraw(work, given["seq"], "a mistake")
    assert gone["state"] == "withdrawn" and gone["withdrawn"]["reason"] == "a mistake"
    assert pack_input(work, None, None, None).attestations == ()
    assert [one["state"] for one in attestations(work)] == ["withdrawn"]
    with pytest.raises(RemitError, match="not withdrawn"):
        withdraw(work, given["seq"], "again")
    theirs = attest(work, "asi", "ASI01", "text")
    work.__dict__["identity"] = "kim"
    with pytest.raises(RemitError, match="given by lee; only they"):
        withdraw(work, theirs["seq"], "not mine")


def test_two_roles_of_one_postgresql_are_two_reviewers(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    with open_store(postgresql_url) as store:
        fill(store)
        with store.db.write() as connection:
            connection.execute(text("CREATE ROLE reviewer_kim LOGIN"))
            connection.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA public TO reviewer_kim"))
        first = give_verdict(at(store, postgresql_url), "task-1", "within-remit", "a drill")
        assert first["pending_second"] and first["by"] == "postgres" and "enforced: the database" in first["separation"]
    try:
        with open_store(postgresql_url.replace("postgres:", "reviewer_kim:", 1)) as store:
            settled = give_verdict(at(store, postgresql_url), "task-1", "within-remit", "so it was")
            assert settled["by"] == "reviewer_kim" and not settled["pending_second"]
            assert store.verify_journal().ok
    finally:
        with open_store(postgresql_url) as store, store.db.write() as connection:
            connection.execute(text("DROP OWNED BY reviewer_kim"))
            connection.execute(text("DROP ROLE reviewer_kim"))


def test_a_person_of_the_file_system_is_the_identity_of_a_file(work: Workspace, tmp_path: Path) -> None:
    assert work.identity == "lee" and work.store.identity() == ""


def test_the_sign_off_and_the_report_count_the_same_self_reviews(work: Workspace, tmp_path: Path) -> None:
    found = next(f for f in work.store.findings() if f.severity is Severity.CRITICAL)
    for subject, kind, who in (
        (found.id, "finding", "DANA@acme.example"),
        (found.task, "task", "dana.w"),
        (found.task, "task", "lee"),
        (found.id, "finding", "lee"),
    ):
        work.store.add_verdict(Verdict(subject, kind, VerdictWord.WITHIN, "as asked", who, FAR, task=found.task))
    told = sign_off_state(work, Room(work, Period(), lambda: None), ())
    assert told["self_reviews_total"] == 2
    write_pack(work, tmp_path / "p", PackWish(only=("json", "csv")))
    report = json.loads((tmp_path / "p" / "report.json").read_bytes())
    assert sorted(f"{one['subject']} by {one['reviewer']}" for one in told["self_reviews"]) == report["sign_off"]["self_reviews"]
