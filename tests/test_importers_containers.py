"""Every way records are wrapped gives the same records, at their exact places, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import NotRecognised, RepairedRecord, open_source
from importers.cutting.containers import TRUNCATED, TRUNCATED_LINE, TRUNCATED_LIST, Cutter, HeadRecord, begun
from importers.cutting.origin import Origin
from model.event import RawRecord, Reject

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXT, children, max_size=4),
    max_leaves=12,
)
OBJECTS = st.lists(st.dictionaries(TEXT, JSON, min_size=1, max_size=5), min_size=2, max_size=6)


class Pipe(io.RawIOBase):
    """A stream that cannot seek and gives few bytes at a time."""

    def __init__(self, data: bytes, step: int = 7) -> None:
        self._data, self._at, self._step = data, 0, step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = self._step if size < 0 else min(size, self._step)
        part = self._data[self._at : self._at + size]
        self._at += len(part)
        return part


def cutter(origin: Origin) -> Cutter:
    return Cutter(begun(origin))


def cut(data: bytes) -> tuple[list[RawRecord], list[Reject], Cutter]:
    made = cutter(Origin(io.BytesIO(data)))
    items = [item for item in made.items() if not isinstance(item, HeadRecord)]
    for item in items:
        if isinstance(item, RawRecord):
            own = item.data if item.original is None else item.original
            assert data[item.offset : item.offset + len(own)] == own
        assert item.line == data.count(b"\n", 0, item.offset) + 1
    return (
        [i for i in items if isinstance(i, RawRecord)],
        [i for i in items if isinstance(i, Reject)],
        made,
    )


def values(records: list[RawRecord]) -> list[object]:
    return [json.loads(r.data) for r in records]


def lines(objects: list[dict[str, object]], end: str = "\n") -> bytes:
    return "".join(json.dumps(o) + end for o in objects).encode()


THREE: list[dict[str, object]] = [{"id": 1, "a": 'x{["\\'}, {"id": 2, "a": [{"b": "}"}]}, {"id": 3, "a": "ü"}]


@pytest.mark.parametrize(
    ("data", "indexed"),
    [
        (lines(THREE), False),
        (lines(THREE, "\r\n"), False),
        (lines(THREE, "\n\n"), False),
        (b"\xef\xbb\xbf" + lines(THREE), False),
        (lines(THREE)[:-1], False),
        (json.dumps(THREE).encode(), True),
        (json.dumps(THREE, indent=2).encode(), True),
        (b"[\n" + b",\n".join(json.dumps(o).encode() for o in THREE) + b"\n]\n", True),
        (json.dumps({"Records": THREE}).encode(), True),
        (json.dumps({"version": 3, "meta": {"x": [1, 2]}, "events": THREE, "next": None}, indent=1).encode(), True),
        (json.dumps({"loglines": THREE}, indent=4).encode(), True),
        (json.dumps({"whatever": THREE}).encode(), True),
        (b'{"Records":[\n' + b",\n".join(json.dumps(o).encode() for o in THREE) + b"\n]}\n", True),
        (b"\n\n".join(json.dumps(o, indent=3).encode() for o in THREE), False),
        (b"".join(json.dumps(o).encode() for o in THREE), False),
        (b"".join(json.dumps({"Records": [o]}).encode() for o in THREE), True),
        (b"".join(json.dumps({"Records": [o]}).encode() + b"\n" for o in THREE), True),
        (b"".join(b"<13>Mar  6 03:24:31 host vault[7]: " + json.dumps(o).encode() + b"\n" for o in THREE), False),
        (b"".join(b"2025-11-28T16:02:27Z\topa\t" + json.dumps(o).encode() + b"\n" for o in THREE), False),
    ],
)
def test_every_wrapping_gives_the_same_records(data: bytes, indexed: bool) -> None:
    records, rejects, cutter = cut(data)
    assert values(records) == THREE
    assert rejects == []
    assert cutter.noise_lines == 0
    assert [r.index for r in records] == ([1, 2, 3] if indexed else [None] * 3)


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_read_and_their_offsets_are_those_of_the_source(codec: str, mark: str) -> None:
    objects = [{"n": i, "text": "ä€😀" * 9000} for i in range(20)]
    text = mark + "\n".join(json.dumps(o, ensure_ascii=False) for o in objects)
    data = text.encode(codec)
    items = list(cutter(Origin(io.BytesIO(data))).items())
    assert [json.loads(i.data) for i in items if isinstance(i, RawRecord)] == objects
    for item in items:
        assert isinstance(item, RawRecord)
        own = item.data.decode().encode(codec)
        assert data[item.offset : item.offset + len(own)] == own


def test_a_console_log_counts_its_text_as_noise() -> None:
    data = b"$ kubectl logs\n...\n[2025-11-28 16:02][20][debug] hello\n" + lines(THREE) + b"':path', '/x'\n"
    records, rejects, cutter = cut(data)
    assert values(records) == THREE
    assert rejects == []
    assert cutter.noise_lines == 4


def test_a_text_line_among_records_is_rejected() -> None:
    records, rejects, cutter = cut(lines(THREE) + b"oops\n" + lines(THREE))
    assert len(records) == 6
    assert [(r.line, r.reason) for r in rejects] == [(4, "text, not a JSON record")]
    assert rejects[0].digest == sha256(b"oops").hexdigest()
    assert cutter.noise_lines == 0


@pytest.mark.parametrize(
    "broken",
    [
        b'{"type":"user","message":{"content":"cut in a te',
        b'{"type":"user","message":{"content":[{"type":"text","text":"x"}',
        b'{"type":"user","message":{"content":"if (x) {","more":"it is cut',
        b'{"type":"user","n":1',
    ],
)
@pytest.mark.parametrize("place", ["middle", "first"])
def test_a_cut_off_record_glued_to_whole_ones_gives_them_back(broken: bytes, place: str) -> None:
    whole = [{"type": "summary", "summary": 'a "quoted" {thing}', "x": {"y": [1]}}, {"type": "system", "z": {}}]
    glued = broken + b"".join(json.dumps(w, separators=(",", ":")).encode() for w in whole) + b"\n"
    data = (lines(THREE) if place == "middle" else b"") + glued + lines(THREE)
    records, rejects, _ = cut(data)
    before = THREE if place == "middle" else []
    assert values(records) == [*before, *whole, *THREE]
    assert [r.line for r in rejects] == [len(before) + 1]
    assert {r.line for r in records[len(before) : len(before) + 2]} == {len(before) + 1}


def test_two_whole_records_on_one_line_are_a_glued_line() -> None:
    records, rejects, _ = cut(lines(THREE) + b'{"a":1}{"b":2}\n')
    assert values(records)[3:] == [{"a": 1}, {"b": 2}]
    assert [(r.line, r.offset) for r in rejects] == [(4, len(lines(THREE)))]


def test_pieces_of_a_cut_off_record_are_not_taken_for_records() -> None:
    records, rejects, _ = cut(lines(THREE) + b'{"a":[{"b":1},{"c":{"d":2}}\n' + lines(THREE))
    assert values(records) == THREE + THREE
    assert [r.line for r in rejects] == [4]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_truncated_last_line_says_so(end: bytes) -> None:
    records, rejects, _ = cut(lines(THREE) + b'{"type":"user","message":{"content":"mo' + end)
    assert len(records) == 3
    assert [(r.line, r.reason) for r in rejects] == [(4, TRUNCATED_LINE)]


def test_truncated_lists_and_documents_keep_what_is_whole() -> None:
    listed = json.dumps({"Records": THREE}).encode()
    records, rejects, _ = cut(listed[:-10])
    assert values(records) == THREE[:2]
    assert [(r.index, r.reason) for r in rejects] == [(3, TRUNCATED)]
    records, rejects, _ = cut(listed[:-2])
    assert values(records) == THREE
    assert [r.reason for r in rejects] == [TRUNCATED_LIST]
    pretty = "\n".join(json.dumps(o, indent=2) for o in THREE).encode()
    records, rejects, _ = cut(pretty[:-8])
    assert values(records) == THREE[:2]
    assert [r.reason for r in rejects] == [TRUNCATED]


@pytest.mark.parametrize("cut_at", [b'"a": "x', b'"id": 2,', b'"a": [\n'])
def test_a_broken_printed_record_costs_itself_alone(cut_at: bytes) -> None:
    parts = [json.dumps(o, indent=2).encode() + b"\n" for o in ({"id": 2, "a": ["x", {"y": 1}]}, *THREE)]
    first = json.dumps({"id": 0}, indent=2).encode() + b"\n"
    damaged = b'{\n  "id": 2,\n  "b": {\n    ' + cut_at + b"\n"
    records, rejects, _ = cut(first + damaged + b"".join(parts))
    assert values(records)[-3:] == THREE
    assert values(records)[0] == {"id": 0}
    assert len(rejects) == 1
    assert rejects[0].line == 4


def test_a_broken_element_costs_itself_alone() -> None:
    good = [json.dumps({"eventID": i, "name": "x"}) for i in range(5)]
    broken = '{"eventID":"9","text":"cut off'
    records, rejects, _ = cut(("[" + ",".join([*good[:3], broken, *good[3:]]) + "]").encode())
    assert [json.loads(r.data)["eventID"] for r in records] == [0, 1, 2, 3, 4]
    assert [r.index for r in rejects] == [4]


def test_what_decoders_refuse_is_repaired_and_flagged() -> None:
    data = b'{"a":"\xff\xfeok"}\n{"a":"\\ud83d cut"}\n{"a":NaN,"b":"NaN","c":-Infinity}\n{"a":"\\ud83d\\ude00 \\\\ud83d"}\n'
    records, rejects, cutter = cut(data)
    assert rejects == []
    assert values(records) == [
        {"a": "\ufffd\ufffdok"},
        {"a": "\ufffd cut"},
        {"a": None, "b": "NaN", "c": None},
        {"a": "😀 \\ud83d"},
    ]
    assert [r.original for r in records if isinstance(r, RepairedRecord)] == data.splitlines()[:3]
    assert cutter.repaired == 3


def test_depth_and_size_are_bounded() -> None:
    deep = b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"
    deeper = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    for data in (b"\n".join([deep, deeper, b'{"b":1}']), b"[" + b",".join([deep, deeper, b'{"b":1}']) + b"]"):
        records, rejects, _ = cut(data)
        assert values(records) == [{"b": 1}]
        assert len(rejects) == 2
        assert all("nested deeper than 200" in r.reason for r in rejects)


class _Endless(io.RawIOBase):
    """Parts repeated as often as asked for, never held in memory together."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._rest = parts, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._parts, b"")
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _parts(head: bytes, middle: bytes, times: int, tail: bytes) -> Iterator[bytes]:
    yield head
    for _ in range(times):
        yield middle
    yield tail


@pytest.mark.parametrize(
    ("head", "tail"),
    [(b'{"a":"', b'"}\n{"b":1}\n'), (b'[{"c":1},{"a":"', b'"},{"b":1}]'), (b'{"Records":[{"a":"', b'"},{"b":1}]}')],
)
def test_a_record_of_more_than_64_mb_is_refused_and_the_next_is_read(head: bytes, tail: bytes) -> None:
    stream = _Endless(_parts(head, b"x" * (1 << 20), 70, tail))
    items = list(cutter(Origin(stream)).items())  # type: ignore[arg-type]
    assert [i.reason for i in items if isinstance(i, Reject)] == ["record larger than 64 MB"]
    assert json.loads(next(i for i in reversed(items) if isinstance(i, RawRecord)).data) == {"b": 1}


def test_memory_stays_small_however_long_the_source() -> None:
    record = json.dumps({"eventID": "x" * 2000, "list": list(range(50))}).encode()
    stream = _Endless(_parts(b'{"Records":[' + record, b"," + record, 15_000, b"]}"))
    tracemalloc.start()
    try:
        count = sum(1 for _ in cutter(Origin(stream)).items())  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 15_001
    assert peak < 16 << 20


@pytest.mark.parametrize("shift", range(4))
def test_a_record_of_many_megabytes_is_valid_wherever_its_characters_lie(shift: int) -> None:
    data = b'{"a":"' + b"x" * shift + "😀".encode() * (5 << 18) + b'"}'
    found = list(cutter(Origin(io.BytesIO(data + b'\n{"b":1}\n'))).items())
    assert [(type(one), one.offset) for one in found] == [(RawRecord, 0), (RawRecord, len(data) + 1)]


def test_hostile_nesting_of_broken_records_ends() -> None:
    for line in (b'{"a":[1,\n', b'{"a\n', b'{"a":"', b'[{"a":[\n', b'{"{"{"', b'{"a":"a'):
        data = line * (60_000 // len(line))
        list(cutter(Origin(io.BytesIO(data))).items())
        list(cutter(Origin(io.BytesIO(b"[" + data))).items())


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, bz2.compress, lzma.compress, lambda d: zstandard.ZstdCompressor().compress(d)],
)
def test_compressed_sources_are_known_by_content(compress: object) -> None:
    assert callable(compress)
    data = lines(THREE * 500)
    packed = compress(data[:1000]) + compress(data[1000:])
    origin = Origin(io.BytesIO(packed))
    assert values([i for i in cutter(origin).items() if isinstance(i, RawRecord)]) == THREE * 500
    damaged = list(cutter(Origin(io.BytesIO(packed[:-30]))).items())
    assert isinstance(damaged[-1], Reject)
    assert "damaged or cut off" in damaged[-1].reason


def test_a_decompression_bomb_is_stopped() -> None:
    bomb = gzip.compress((b'{"a":"' + b"x" * 60_000 + b'"}\n') * 3_000)
    origin = Origin(io.BytesIO(bomb))
    last = None
    for item in cutter(origin).items():
        last = item
    assert isinstance(last, Reject)
    assert "decompression stopped" in last.reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b" \n\n", "the file holds only blank lines"),
        (b"\x00\x01\x02" * 50, "binary data"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"\x04\x22\x4d\x18....", "compressed with lz4: unpack it and import what is inside"),
        (b"7z\xbc\xaf\x27\x1c..", "a 7-Zip archive: unpack it"),
        (b"Obj\x01....", "an Avro file inside another file or a pipe: save it as a file of its own"),
        (b"\x89PNG\r\n", "a PNG image, not a log of records"),
        (b"hello\nworld\n", "text of no known format"),
        (b'{"foo":1,"bar":2}\n{"foo":3}\n', "JSON objects with the keys foo, bar; no known format"),
        (b"[1,2,3]", "text of no known format"),
        (b'{"Records":[]}', "an empty list of records"),
        (gzip.compress(b"", mtime=0), "blank lines"),
        (b"\x1f\x8b\x08broken", "damaged"),
    ],
)
def test_strangers_are_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(NotRecognised, match=reason):
        open_source(io.BytesIO(data))


def test_an_unknown_format_name_is_refused() -> None:
    with pytest.raises(NotRecognised, match="no format is called"):
        open_source(io.BytesIO(b"{}"), format="nonsense")


@given(OBJECTS, st.sampled_from(["lines", "list", "pretty", "envelope", "documents", "glued"]))
@settings(max_examples=150, deadline=None)
def test_a_pipe_gives_what_a_file_gives(objects: list[dict[str, object]], form: str) -> None:
    data = {
        "lines": lambda: lines(objects),
        "list": lambda: json.dumps(objects).encode(),
        "pretty": lambda: json.dumps(objects, indent=1, ensure_ascii=False).encode(),
        "envelope": lambda: json.dumps({"Records": objects}, indent=2).encode(),
        "documents": lambda: "\n".join(json.dumps(o, indent=2) for o in objects).encode(),
        "glued": lambda: "".join(json.dumps(o) for o in objects).encode(),
    }[form]()
    piped = list(cutter(Origin(Pipe(data))).items())  # type: ignore[arg-type]
    assert piped == list(cutter(Origin(io.BytesIO(data))).items())
    assert [json.loads(i.data) for i in piped if isinstance(i, RawRecord)] == [json.loads(json.dumps(o)) for o in objects]


@given(st.binary(max_size=400) | st.text(alphabet='{}[]",:\\ \n1a', max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_items_or_a_refusal(data: bytes) -> None:
    try:
        items = list(cutter(Origin(io.BytesIO(data))).items())
    except NotRecognised:
        return
    offsets = [i.offset for i in items if isinstance(i, RawRecord)]
    assert offsets == sorted(set(offsets))


def test_the_digest_and_size_are_those_of_the_stored_bytes() -> None:
    data = gzip.compress(lines(THREE)) + b"\0" * 100
    origin = Origin(io.BytesIO(data))
    list(cutter(origin).items())
    origin.raw.drain()
    assert (origin.raw.bytes, origin.raw.sha256) == (len(data), sha256(data).hexdigest())


def test_corpus_lines_agree_with_an_independent_count(corpus: Path) -> None:
    checked = 0
    for path in sorted([*corpus.glob("claude-code/**/*.jsonl"), *corpus.glob("codex/**/*.jsonl")]):
        data = path.read_bytes()
        good = bad = 0
        for line in data.splitlines():
            if line.strip():
                try:
                    is_record = isinstance(json.loads(line), dict)
                    good, bad = good + is_record, bad + (not is_record)
                except ValueError:
                    bad += 1
        records, rejects, _ = cut(data)
        assert len(rejects) == bad
        assert len(records) - good == (2 if bad == 1 and "entireio" in str(path) else 0)
        checked += good
    assert checked > 5000


def test_corpus_cloudtrail_agrees_with_an_independent_count(corpus: Path) -> None:
    paths = sorted(corpus.glob("cloudtrail/invictus*/*.json"))
    total = 0
    for path in paths:
        data = path.read_bytes()
        expected = json.loads(data)["Records"]
        records, rejects, _ = cut(data)
        assert values(records) == expected
        assert rejects == []
        total += len(records)
    assert total == 2122


def test_what_stands_beside_a_list_is_given_before_it_to_those_who_ask() -> None:
    def heads(data: bytes) -> list[tuple[bytes, int]]:
        items = list(cutter(Origin(io.BytesIO(data))).items())
        assert all(not isinstance(item, HeadRecord) for item in items[1:])
        return [(item.data, item.offset) for item in items if isinstance(item, HeadRecord)]

    assert heads(b' {"id": "s", "messages": [{"a": 1}, {"a": "]}"}], "end": 2}') == [
        (b'{"id": "s", "messages": [], "end": 2}', 1)
    ]
    assert heads(b'{"messages": [{"a": 1}], "id": "s"}') == [(b'{"messages": [], "id": "s"}', 0)]
    assert heads(b'{"id": "s", "messages": [{"a": 1}, {"a"') == [(b'{"id": "s", "messages": []}', 0)]
    assert heads(b'{"messages": [{"a": 1}]}') == []
    assert heads(b'{"Records": [{"a": 1}]}\n{"Records": [{"a": 2}]}') == []
    assert heads(b'{"id": "\xff", "messages": [{"a": 1}]}') == [('{"id": "\ufffd", "messages": []}'.encode(), 0)]
    assert heads(b'{"messages": [{"a": 1}], "x": ' + b"[" * 300 + b"]" * 300 + b"}") == []
    large = b'{"id": "s", "messages": [' + b",".join([b'{"a": "%s"}' % (b"x" * 60_000)] * 400) + b'], "end": 2}'
    assert heads(large) == [(b'{"id": "s", "messages": []}', 0)]


@pytest.mark.parametrize(
    "line",
    [
        b'{"log": "' + b'{\\"id\\": 1, \\"x\\": [NaN, \\"\\\\ud800\\"]}' * 40_000,
        b'{"a": "' + b'\\"' * 500_000 + b"\\",
        b'{"a": [' + b"[],{}," * 200_000,
        b'{"a": 1}' + b"{" * 1_000_000,
        b'{"a": "x{"' * 100_000,
        b'{"x": {"y": 1} {"z": ' * 50_000,
    ],
    ids=["text cut off", "text of quotes", "brackets", "braces", "glued texts", "glued objects"],
)
def test_a_broken_line_costs_its_length(line: bytes) -> None:
    """Each of these was looked at again from every quote or brace: minutes and more for a line of a megabyte."""
    records, rejects, _ = cut(b'{"id": 1}\n' + line + b'\n{"id": 2}\n')
    assert {"id": 1} in values(records) and rejects


def test_what_a_text_that_ends_in_a_brace_says_is_no_record() -> None:
    line = b'{"name": "edit", "old": "if (x) {", "new": "if (y) {", "rest": "' + b'{"type": "user", "id": 7}'
    records, rejects, _ = cut(b'{"id": 1}\n' + line + b"\n")
    assert values(records) == [{"id": 1}, {"type": "user", "id": 7}] and len(rejects) == 1
