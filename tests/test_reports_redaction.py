"""Selective disclosure: what a profile leaves out is in no byte of the pack, and every count and id is that of the whole."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.chain import Coverage, Task
from model.org import Exclusion, Org, PointFact
from model.review import ExceptionRecord, PolicyVersion, Verdict
from model.words import Vantage, VerdictWord
from reports.catalogue import frameworks
from reports.errors import UnknownName
from reports.input import Attestation, CustodyEntry, Detection, PackInput, SignOff, SourceEvidence, SourceRow, StepRow
from reports.library import library
from reports.redaction import PROFILES, Redactor
from reports.verify import verify
from reports.wordlist import Wordlist
from tests.reports_figures import figures, recomputed
from tests.reports_sample import DAY, build_pack, finding, sample, steps
from tests.test_reports_oscal import hostile

KEY = b"k" * 32
FRAMEWORKS = ["owasp-asi-2026", "nist-csf-2.0", "nist-sp800-53r5-selected"]
PEOPLE = ["zebedee.quillfeather@corp.example", "Mirabel-Ostrander", "svc-wexford-bot", "oz", "hollis", "penhaligon"]
PROMPT = "Please PLANTEDPROMPT the quarterly ledger and tell nobody"
FOREIGN = [
    "plantedtarget",
    "plantedcommand",
    "plantedpoint",
    "plantedsource",
    "plantedreason",
    "plantedorg",
    "plantedrule",
    "plantedticket",
    "plantedground",
]


def rows(source: Iterator[StepRow]) -> Iterator[StepRow]:
    for row in source:
        row.title = f"{PROMPT}; plantedcommand --as {PEOPLE[0]} in /home/hollis/work"
        row.target = f"plantedtarget/Users/penhaligon/{row.n}"
        row.decided_by = "plantedpoint:zebedee.QUILLFEATHER@corp.example" if row.decided else ""
        row.rule = f"plantedrule for {PEOPLE[1]}"
        yield row


def planted(**changes: Any) -> PackInput:
    """The sample with names, prompts and foreign texts wherever a log or a person can put one."""
    base = sample(6, 12)
    found = tuple(
        finding("CRED-08", n, n, why=f"{PROMPT} was typed by {PEOPLE[0]} (oz) {'x' * 500} plantedreason") for n in range(4)
    )
    made = sample(
        6,
        12,
        organisation="plantedorg of Mirabel-Ostrander",
        tasks=tuple(
            msgspec.structs.replace(
                t, title=f"{PROMPT} {n}", principal=PEOPLE[n % 3], on_behalf_of=PEOPLE[3], owners=("plantedorg",)
            )
            for n, t in enumerate(base.tasks)
        ),
        steps=rows(steps(6, 12)),
        findings=found,
        credentials=tuple(msgspec.structs.replace(c, subject=PEOPLE[2], issuer="plantedpoint") for c in base.credentials),
        sources=(
            *base.sources,
            SourceRow("src-x", "plantedsource/-home-hollis-work/a.jsonl", "claude-code", "aa" * 32, note=f"from {PEOPLE[0]}"),
        ),
        coverage=(*base.coverage, Coverage("plantedpoint", Vantage.AGENT, PEOPLE[0], DAY, DAY + 1, 3)),
        exceptions=(ExceptionRecord(found[0].finding.id, PEOPLE[1], "plantedticket", DAY * 2, "plantedreason", "oz", DAY + 1),),
        verdicts=(
            Verdict(found[1].finding.id, "finding", VerdictWord.OUTSIDE, f"plantedreason, {PEOPLE[1]}", PEOPLE[0], DAY + 1),
        ),
        attestations=(
            Attestation(
                "nist-csf-2.0",
                "GV.OC-01",
                PEOPLE[1],
                DAY + 1,
                f"plantedreason; ask oz or {PEOPLE[0]}",
                "plantedground of the wiki",
            ),
        ),
        sign_offs=(SignOff(PEOPLE[0], DAY + 1, "plantedreason"),),
        policies=(PolicyVersion("plantedrule", 1, "remit", "ab" * 32, "", PEOPLE[1], "why", DAY),),
        custody=(CustodyEntry("src-x", "/home/hollis/plantedsource.jsonl", PEOPLE[2], DAY, "aa" * 32),),
        evidence=(SourceEvidence("src-x", "plantedsource/-Users-penhaligon/a.jsonl", 2, "cc" * 32),),
        org=Org(name="plantedorg", enforcement_points=(PointFact("plantedpoint-unseen", "enforcer"),)),
        parameters={"frameworks": FRAMEWORKS, "redact": "x", "config": "/home/hollis/report.yaml"},
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same state whole (under "") and by each profile."""
    found = {}
    for profile in ("", *PROFILES):
        found[profile] = tmp_path_factory.mktemp("redacted") / "out"
        state = planted()
        build_pack(state, found[profile], FRAMEWORKS, redactor=Redactor(profile, state, KEY) if profile else None)
    return found


def everything(pack: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        yield path.relative_to(pack).as_posix(), path.read_bytes().decode("utf-8").casefold()


LEFT = {
    "no-prompts": ["plantedprompt", "quarterly", "plantedcommand"],
    "no-names": ["zebedee", "quillfeather", "mirabel", "ostrander", "wexford", "hollis", "penhaligon", "corp.example"],
}
LEFT["hashes-only"] = [*LEFT["no-prompts"], *LEFT["no-names"], *FOREIGN]


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_left_out_is_in_no_byte_and_no_name(packs: dict[str, Path], profile: str) -> None:
    whole = "".join(text for _, text in everything(packs[""]))
    for name, text in everything(packs[profile]):
        for word in LEFT[profile]:
            assert word in whole, word
            assert word not in text and word not in name.casefold(), (name, word, text[max(0, text.find(word) - 80) :][:160])
        if profile != "no-prompts":
            assert '"oz"' not in text and ",oz," not in text and " oz " not in text, name


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of the PDF, whole (under "") and by each profile."""
    pytest.importorskip("typst", reason="needs the extra `pdf`")
    return {profile: pdf_text(tmp_path_factory.mktemp("pdf") / "out", profile) for profile in ("", *PROFILES)}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_pdf_leaves_out_the_same_and_says_what_and_why(pages: dict[str, str], profile: str) -> None:
    whole, part = plain(pages[""]), plain(pages[profile])
    words = [word for word in map(plain, LEFT[profile]) if word in whole]
    assert words, "the whole has what the profile leaves out"
    assert [word for word in words if word in part] == []
    left_out, why = PROFILES[profile]
    for said in (*left_out, why):
        assert plain(said) in part and plain(said) not in whole, said
    assert ids(part) == ids(whole) and len(ids(whole)) > 3
    assert counts(pages[profile]) == counts(pages[""]) and len(counts(pages[""])) > 10


def ids(text: str) -> list[str]:
    return sorted(re.findall(r"(?:find|blind|task|step|cred)[0-9a-f]{20}", text))


def counts(text: str) -> list[str]:
    """How many of each there are, as the text says it: `12 steps`."""
    words = "steps|tasks|findings|records|blind spots|open|accepted|exceptions"
    return sorted(re.findall(rf"\b\d+ (?:{words})\b", " ".join(text.split())))


def plain(text: str) -> str:
    """Text without blanks, hyphens and places to break, which words are broken at."""
    return "".join(c for c in text.casefold() if not c.isspace() and c not in "\u200b\u00ad-")


def pdf_text(out: Path, profile: str) -> str:
    pypdf = pytest.importorskip("pypdf")
    state = planted()
    build_pack(state, out, FRAMEWORKS[:1], {"pdf"}, redactor=Redactor(profile, state, KEY) if profile else None)
    return "".join(page.extract_text() for page in pypdf.PdfReader(out / "report.pdf").pages)


def numbers(found: dict[str, set[int]]) -> list[tuple[str, set[int]]]:
    """Figures by their names, less the names of reviewers in them."""
    return sorted((re.sub(r"^reviewer/.*?/", "reviewer//", name), values) for name, values in found.items())


@pytest.mark.parametrize("profile", PROFILES)
def test_every_count_and_id_is_that_of_the_whole(packs: dict[str, Path], profile: str) -> None:
    whole, part = packs[""], packs[profile]
    assert verify(part).sound and verify(part).completeness == verify(whole).completeness
    assert {n for n, _ in everything(part)} == {n for n, _ in everything(whole)}
    assert numbers(figures(part)) == numbers(figures(whole))
    assert {n: v for n, v in recomputed(part).items() if n.startswith(("findings", "control", "steps", "source"))} == {
        n: v for n, v in recomputed(whole).items() if n.startswith(("findings", "control", "steps", "source"))
    }
    ids = {"id", "task", "step", "n", "at", "detection", "severity", "state", "group", "controls", "framework", "result", "findings",
           "permitted", "decided", "covered", "verdict", "vantages", "evidence_digest", "sha256", "read", "accepted", "records", "count",
           "shows", "does_not_show", "kind", "flags", "tasks", "edition"}  # fmt: skip
    for path in sorted(whole.glob("*.csv")):
        tables = []
        for pack in (whole, part):
            with (pack / path.name).open(encoding="utf-8", newline="") as file:
                tables.append(list(csv.DictReader(file)))
        assert len(tables[0]) == len(tables[1])
        for one, other in zip(*tables, strict=True):
            # What a log calls a kind of credential came from outside, the kinds of controls and limits did not.
            same = ids - {"coverage.csv": {"id"}, "credentials.csv": {"kind"}}.get(path.name, set())
            assert {n: v for n, v in one.items() if n in same} == {n: v for n, v in other.items() if n in same}, path.name
            assert {n for n, v in one.items() if v} == {n for n, v in other.items() if v}, path.name


@pytest.mark.parametrize("profile", PROFILES)
def test_the_reader_sees_that_and_why(packs: dict[str, Path], profile: str) -> None:
    why = PROFILES[profile][1]
    report = json.loads((packs[profile] / "report.json").read_bytes())
    assert report["redaction"] == {"profile": profile, "left_out": PROFILES[profile][0], "why": why}
    assert why in report["summary"]["limits"]
    assert json.loads((packs[profile] / "manifest.json").read_bytes())["redaction"]["profile"] == profile
    for name in ("report.html", "report.md"):
        text = (packs[profile] / name).read_text(encoding="utf-8").replace("\\", "")
        assert why.split(";")[0] in text and profile in text
    places = {"no-prompts": "[left out: prompts]", "no-names": "person-", "hashes-only": "hash:"}
    for name in ("report.html", "report.json", "population.csv", "findings.csv"):
        text = (packs[profile] / name).read_text(encoding="utf-8")
        assert places[profile] in text, name
    assert "redaction" not in json.loads((packs[""] / "manifest.json").read_bytes())
    assert "Left out" not in (packs[""] / "report.html").read_text(encoding="utf-8")


def test_one_name_has_one_pseudonym_and_another_key_another(packs: dict[str, Path]) -> None:
    state = planted(org=Org(identities={"quill": (PEOPLE[0], "zq")}))
    redactor = Redactor("no-names", state, KEY)
    told = redactor.value(
        {"who": PEOPLE[0], "reviewer": "ZQ", "text": "by zebedee.quillfeather@CORP.example, see /home/hollis/x"}
    )
    assert told["who"] == told["reviewer"] and told["who"] in told["text"] and "/home/person-" in told["text"]
    assert Redactor("no-names", state, b"other" * 8).value({"who": PEOPLE[0]})["who"] != told["who"]
    same = Redactor("no-names", planted(), KEY).value({"who": PEOPLE[0]})["who"]
    assert same in (packs["no-names"] / "report.json").read_text(encoding="utf-8")


def test_what_looks_like_an_address_and_is_none_stays() -> None:
    redactor = Redactor("no-names", sample(1, 1), KEY)
    for text in ("npm i left-pad@1.3.0", "actions/checkout@v4", "agents@agents-2026.03.16-4f1c2a9e", "a @ b"):
        assert redactor.value({"text": text})["text"] == text


def test_agents_and_points_are_nobodys_name() -> None:
    state = sample(1, 1, tasks=(Task(id="task-1", scope="s", agent="claude-code", principal="claude-code"),))
    assert Redactor("no-names", state, KEY).value({"point": "claude-code"}) == {"point": "claude-code"}


def test_words_of_others_that_are_the_names_of_counts_are_left_out_and_counted_on(tmp_path: Path) -> None:
    kinds = {f"seen by {PEOPLE[0]}": 2, "seen by QUILLFEATHER": 3, "plantedkind": 4}
    row = SourceRow("src-x", "a.jsonl", "claude-code", "aa" * 32, unknown_types=dict(kinds), reject_reasons=dict(kinds))
    for profile, words in (("no-names", ["quillfeather"]), ("hashes-only", ["quillfeather", "plantedkind", "seen by"])):
        state = planted(sources=(row,))
        build_pack(state, tmp_path / profile, FRAMEWORKS, redactor=Redactor(profile, state, KEY))
        told = json.loads((tmp_path / profile / "report.json").read_bytes())["coverage"]["sources"][0]
        assert sum(told["unknown_types"].values()) == sum(told["reject_reasons"].values()) == 9
        assert profile != "no-names" or sorted(told["unknown_types"].values()) == [4, 5], "two spellings of one name are one"
        for name, text in everything(tmp_path / profile):
            assert not [word for word in words if word in text], name


def test_an_own_reading_names_neither_its_author_nor_its_reason(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "reading.yaml").write_text(
        "override_schema: 1\nby: Ottoline Brackenbury\nreason: plantedreason of ours\nframeworks:\n  nist-csf-2.0:\n"
        "    add_links: {PR.AA-01: [GOV-02]}\n    not_in_scope: {GV.OC-01: plantedscope}\n"
        f"    sentences: {{PR.AA-05: {{shows: As {PEOPLE[1]} reads it.}}}}\n",
        encoding="utf-8",
    )
    made = library(tmp_path / "own")
    for profile, words in (
        ("no-names", ["ottoline", "ostrander"]),
        ("hashes-only", ["ottoline", "plantedreason", "plantedscope"]),
    ):
        state = planted()
        redactor = Redactor(profile, made.stated(state), KEY, made.overrides)
        build_pack(state, tmp_path / profile, FRAMEWORKS, redactor=redactor, library=made)
        for name, text in everything(tmp_path / profile):
            assert not [word for word in words if word in text], name
        assert "as well, by " in (tmp_path / profile / "controls.csv").read_text(encoding="utf-8")


def test_digests_alone_tell_no_kind_of_credential_no_exclusion_and_no_parameter_of_an_own_detection(tmp_path: Path) -> None:
    reason = "plantedexclusion of the pipeline"
    own = Detection("ACME-1", "Ours", params={"ours": ["git.plantedhost.example"]}, excluded={reason: 2}, own=True)
    base = planted()
    state = planted(
        detections=(*base.detections, own),
        credentials=tuple(msgspec.structs.replace(c, kind="plantedkind token") for c in base.credentials),
        org=Org(exclusions={"ACME-1": (Exclusion(reason, agent="x"),)}, detections={"GOV-01": {"known": ["plantedset"]}}),
    )
    build_pack(state, tmp_path / "p", FRAMEWORKS, redactor=Redactor("hashes-only", state, KEY))
    for name, text in everything(tmp_path / "p"):
        assert not [w for w in ("plantedkind", "plantedexclusion", "plantedhost", "plantedset") if w in text], name


def test_an_unknown_profile_names_the_known() -> None:
    with pytest.raises(UnknownName, match="no-names"):
        Redactor("nonames", sample(1, 1), KEY)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_hostile_store_is_redacted_as_any_other(tmp_path: Path, profile: str) -> None:
    state = hostile()
    state.tasks = (*state.tasks, Task(id="task-x", scope="s", agent="\ud800", principal="\udfffplanted", title="q" * 50_000))
    build_pack(state, tmp_path / "out", FRAMEWORKS, redactor=Redactor(profile, state, KEY))
    assert verify(tmp_path / "out").sound
    for name, text in everything(tmp_path / "out"):
        assert "q" * 100 not in text, name
        assert profile == "no-prompts" or "planted" not in text, name


def test_every_framework_keeps_its_own_words(tmp_path: Path) -> None:
    state = sample(2, 3)
    build_pack(state, tmp_path / "p", [f.id for f in frameworks()], {"json"}, redactor=Redactor("hashes-only", state, KEY))
    build_pack(sample(2, 3), tmp_path / "q", [f.id for f in frameworks()], {"json"})
    part, whole = (json.loads((tmp_path / n / "report.json").read_bytes()) for n in ("p", "q"))
    for one, other in zip(part["frameworks"], whole["frameworks"], strict=True):
        for mine, theirs in zip(one["controls"], other["controls"], strict=True):
            for name in ("id", "title", "shows", "does_not_show", "result", "word"):
                assert mine[name] == theirs[name]
    assert part["method"]["meanings"] == whole["method"]["meanings"]


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.text("abİßé1 ", min_size=1, max_size=8), max_size=6), text=st.text("abİßé1 -AB", max_size=40))
def test_replaced_words_are_gone_and_the_rest_stays(words: list[str], text: str) -> None:
    made = Wordlist(dict.fromkeys(words, "\0")).replace(text)
    longer = [w for w in words if len(w) >= 6]
    assert not any(w.lower() in made.lower() for w in longer if len(w.lower()) == len(w))
    if not words:
        assert made == text


def test_long_words_count_from_their_heads_and_lone_surrogates_are_like_any_character() -> None:
    long = {"x" * n + "y" * (3_000 - n): f"<{n}>" for n in range(0, 3_000, 7)} | {"x" * 50_000: "<x>"}
    made = Wordlist(long)
    assert made.replace("x" * 70 + "y" * 2_930) == "<70>"
    assert made.replace("A " + "X" * 50_000 + " b") == "A <x> b"
    assert "y" not in made.replace("x" * 70 + "y" * 2_000)
    assert made.replace("x" * 199) == "x" * 199
    assert "x" * 200 not in made.replace(("x" * 49_000 + "z") * 20)
    nested = Wordlist({"x" * n: str(n) for n in range(1, 150)})
    assert nested.replace("x" * 149 + "-" + "xx") == "149-2"
    assert Wordlist({"\ud800 planted": "<s>"}).replace("a \ud800 PLANTED b") == "a <s> b"


def test_what_two_words_cover_together_is_gone_whole() -> None:
    assert Wordlist({"abcdef": "<1>", "defghi": "<2>"}).replace("abcdefghi") == "<1>ghi"
    assert Wordlist({"a-b": "<1>", "b-cdef": "<2>"}).replace("a-b-cdef") == "<1><2>"
