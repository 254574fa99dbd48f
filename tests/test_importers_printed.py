"""Records as Fluent Bit prints them on its terminal."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from importers.cutting.printed import of_printed, printed
from importers.detect import open_source
from importers.shared.fields import decode
from model.event import RawRecord
from tests.test_importers_counted import SYSMON, VAULT

ABOUT = {"pod_name": "vault-0", "labels": {"app": "vault"}, "zones": ["a", "b"], "count": 3, "share": 0.5, "gone": None}
BANNER = "Fluent Bit v3.2.2\n\n[2026/03/01 10:00:00] [ info] [output:stdout:stdout.0] worker #0 started\n"


def spelled(value: object) -> str:
    """As MessagePack's own printing spells a value: texts as they are."""
    match value:
        case dict():
            return "{" + ", ".join(f'"{name}"=>{spelled(one)}' for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(spelled, value)) + "]"
        case str():
            return f'"{value}"'
        case None:
            return "nil"
    return str(value).lower()


def line(record: dict[str, Any], about: str = "[1772359200.123456789, {}]", before: str = "") -> str:
    return f"{before}[0] kube.var.log: [{about}, {spelled(record)}]\n"


PRINTED = {
    "a text": line({"log": VAULT}),
    "the older times": line({"log": VAULT}, "1772359200.123456789"),
    "metadata": line({"log": VAULT}, '[1772359200.123456789, {"otlp"=>{"id"=>1}}]'),
    "a container's name before it": line({"log": VAULT}, before="fluentbit-1  | "),
    "members behind": line({"log": VAULT, "stream": "stdout", "kubernetes": ABOUT}),
    "members before": line({"stream": "stdout", "kubernetes": ABOUT, "log": VAULT}),
    "a line end in the text": line({"log": VAULT + "\n", "stream": "stdout", "kubernetes": ABOUT}),
    "bytes, which are printed with their quotes behind backslashes": line({"log": VAULT.replace('"', '\\"')}),
    "parsed": line(json.loads(VAULT)),
}


@pytest.mark.parametrize("said", PRINTED)
def test_a_printed_record_is_read(said: str) -> None:
    source = open_source(io.BytesIO((BANNER + PRINTED[said] * 3).encode()))
    items = list(source.items())
    assert (source.format, len(items)) == ("vault", 3)
    assert all(isinstance(item, RawRecord) and json.loads(item.data) == json.loads(VAULT) for item in items)


def test_lines_of_text_are_read_among_those_of_other_programs() -> None:
    other = line({"log": "Listening on :8080", "stream": "stdout"})
    source = open_source(io.BytesIO((other + line({"log": SYSMON, "stream": "stdout"}) * 2).encode()))
    items = [item for item in source.items() if isinstance(item, RawRecord)]
    assert (source.format, len(items), source.noise_lines) == ("sysmon-linux", 2, 1)
    (event,) = source.importer.open().read(decode(items[0].data)).events
    assert event.target.name == "/etc/motd"


def test_all_kinds_of_values_are_told() -> None:
    told = of_printed({"line": line({"a": ABOUT, "b": True, "c": -7, "d": [], "e": {}}).rstrip()})
    assert json.loads(str(told["line"])) == {"a": ABOUT, "b": True, "c": -7, "d": [], "e": {}}


def test_a_text_that_pretends_to_be_further_members_does_not_replace_those_before_it() -> None:
    told = of_printed({"line": line({"user": "alice", "log": 'x", "user"=>"admin'}).rstrip()})
    assert json.loads(str(told["line"]))["user"] == "alice"


@pytest.mark.parametrize(
    "odd",
    ["", "{", "{]", '{"a"', '{"a"=>', '{"a"=>}', '{"a"=>{"b"=>' * 40, '{"a"=>[[[[' * 400, '{"a"=>"', '"' * 4000, '{"a"=>1 2}'],
    ids=["nothing", "open", "other", "name", "no value", "empty", "deep", "lists", "text", "quotes", "two words"],
)
def test_what_is_printed_oddly_is_no_record(odd: str) -> None:
    told = of_printed({"line": f"[0] a: [[1772359200.1, {{}}], {odd}"})
    assert told.keys() <= {"line"}
    assert printed(b"Rocket => launched\n" * 9) is None and printed(b"[0] nothing\n") is None
