"""The rows of a walk: repeated steps as one, sub-agents in place, and the way from a step to its row and back."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from model.chain import Step, StepOutcome
from model.evidence import StepSketch
from model.words import Tri, Verb
from review.show.walk_layout import BLIND, CHILD, CREDENTIAL, DECISION, FINDING, GROUP, STEP, Layout, Outline, Place, lay_out
from store.codec import pack, sketch


def outline(text: str, *, task: str = "t", found: dict[int, int] | None = None, parts: int = 1000) -> Outline:
    """Letters are kinds of steps; a digit starts the sub-agent of that name."""
    made = Outline(task, len(text), {f"{task}{n}": flag for n, flag in (found or {}).items()})
    sketches = [
        StepSketch(f"{task}{n}", n, (letter,), letter.isupper(), letter == "c", letter if letter.isdigit() else "")
        for n, letter in enumerate(text, 1)
    ]
    for first in range(0, len(sketches), parts):
        made.extend(sketches[first : first + parts])
    return made


def rows(layout: Layout) -> list[str]:
    return [
        "  " * p.depth + (f"{p.task}{p.n}" if p.kind == STEP else f"{p.task}{p.n}-{p.last}" if p.kind == GROUP else f"({p.task})")
        for p in layout.places(0, layout.rows)
    ]


@pytest.mark.parametrize("parts", [1, 2, 3, 1000])
def test_three_alike_in_a_row_are_one_row_however_they_are_read(parts: int) -> None:
    made = outline("abbbccdddd", parts=parts)
    assert made.whole and made.runs == [(2, 4), (7, 10)]
    assert rows(lay_out("t", {"t": made}, ())) == ["t1", "t2-4", "t5", "t6", "t7-10"]


def test_a_step_with_a_finding_or_a_sub_agent_is_never_folded_away() -> None:
    made = outline("aaaaaaa", found={4: FINDING})
    assert made.runs == [(1, 3), (5, 7)]
    assert outline("aaaa", found={2: BLIND}).runs == []
    assert outline("1111").runs == [] and outline("1111").children == {1: "1", 2: "1", 3: "1", 4: "1"}


def test_steps_not_looked_at_yet_have_rows_of_their_own() -> None:
    made = Outline("t", 6, {})
    made.extend([StepSketch(f"t{n}", n, ("a",), False, False, "") for n in (1, 2, 3)])
    assert made.known == 3 and not made.whole
    assert rows(lay_out("t", {"t": made}, ())) == ["t1", "t2", "t3", "t4", "t5", "t6"]
    made.extend([])
    assert made.whole and made.total == 3 and made.runs == [(1, 3)]


def test_an_unfolded_group_keeps_its_head_and_shows_its_steps() -> None:
    outlines = {"t": outline("abbbc")}
    layout = lay_out("t", outlines, {Place(GROUP, "t", 2, 4, 0).key})
    assert rows(layout) == ["t1", "t2-4", "  t2", "  t3", "  t4", "t5"]
    assert [layout.row_of("t", n) for n in range(1, 6)] == [0, 2, 3, 4, 5]


def test_sub_agents_stand_where_they_were_started_and_never_in_themselves() -> None:
    outlines = {"t": outline("a1b"), "1": outline("xt", task="1")}
    outlines["1"].children = {2: "t"}
    unfolded = {Place(STEP, "t", 2, 2, 0).key, Place(STEP, "1", 2, 2, 0).key}
    layout = lay_out("t", outlines, unfolded)
    assert rows(layout) == ["t1", "t2", "  11", "  12", "t3"]
    assert layout.row_of("1", 2) == 3 and layout.row_of("t", 3) == 4 and layout.row_of("1", 3) is None
    assert layout.tasks() == ["t", "1"]


def test_a_sub_agent_that_no_step_started_comes_last_and_unfolds_there() -> None:
    outlines = {"t": outline("ab"), "k": outline("xy", task="k")}
    assert rows(lay_out("t", outlines, (), ["k"])) == ["t1", "t2", "(k)"]
    assert rows(lay_out("t", outlines, {Place(CHILD, "k", 0, 0, 0).key}, ["k"])) == ["t1", "t2", "(k)", "  k1", "  k2"]


def test_jumps_find_the_next_step_with_a_flag_and_the_group_that_holds_it() -> None:
    outlines = {"t": outline("aBBBcaF", found={7: FINDING})}
    layout = lay_out("t", outlines, ())
    assert rows(layout) == ["t1", "t2-4", "t5", "t6", "t7"]
    assert layout.seek(outlines, DECISION, 0, 1) == 1 and layout.seek(outlines, DECISION, 1, 1) == 4
    assert layout.seek(outlines, CREDENTIAL, 4, -1) == 2 and layout.seek(outlines, DECISION, 4, -1) == 1
    assert layout.seek(outlines, FINDING, 0, 1) == 4 and layout.seek(outlines, FINDING, 4, 1) is None
    assert layout.seek(outlines, CREDENTIAL, 2, -1) is None


def test_numbers_in_a_title_make_no_other_step_but_writes_are_all_different() -> None:
    def sort(verb: Verb, title: str, **more: object) -> object:
        return sketch(pack(msgspec.structs.replace(Step(f"step-{title}", "t", 1, verb, title=title), **more))).sort

    assert sort(Verb.EXEC, "sleep 5") == sort(Verb.EXEC, "sleep 60") != sort(Verb.EXEC, "make")
    assert sort(Verb.EXEC, "make") != sort(Verb.EXEC, "make", credentials=("cred-1",))
    assert sort(Verb.EXEC, "make") != sort(Verb.EXEC, "make", outcome=StepOutcome(tool=Tri.NO))
    assert sort(Verb.FILE_WRITE, "a 1") != sort(Verb.FILE_WRITE, "a 2")


def test_a_title_that_was_cut_is_like_no_other() -> None:
    def sort(id: str, title: str) -> object:
        return sketch(pack(Step(id, "t", 1, Verb.EXEC, title=title))).sort

    assert sort("step-1", "make test …") != sort("step-2", "make test …")
    assert sort("step-1", "make test") == sort("step-2", "make test")


def test_every_row_leads_to_its_step_and_back_whatever_is_folded() -> None:
    dice = Random(6)
    for _ in range(60):
        text = "".join(dice.choice("aabB1") for _ in range(dice.randrange(1, 40)))
        outlines = {"t": outline(text), "1": outline("xxxxy", task="1")}
        keys = [Place(GROUP, t, a, b, 0).key for t, one in outlines.items() for a, b in one.runs]
        keys += [Place(STEP, "t", n, n, 0).key for n in outlines["t"].children][:1]
        layout = lay_out("t", outlines, set(dice.sample(keys, dice.randrange(len(keys) + 1))))
        whole = layout.places(0, layout.rows)
        assert len(whole) == layout.rows
        first = dice.randrange(layout.rows)
        assert layout.places(first, 7) == whole[first : first + 7]
        for row, place in enumerate(whole):
            assert layout.at(row) == place
            if place.kind == STEP:
                assert layout.row_of(place.task, place.n) == row
        assert {n for p in whole if p.task == "t" for n in range(p.n, p.last + 1)} == set(range(1, len(text) + 1))
