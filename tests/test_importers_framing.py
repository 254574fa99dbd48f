"""Text lines framed as records: places, original bytes, tables over several lines, and what is no pair or row."""

from __future__ import annotations

import csv
import io
import json
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.cutting.framing import MAX_ROW, Container, Frames, header, key_values, row, sample
from importers.cutting.origin import Origin
from importers.cutting.scanner import Window
from importers.shared.fields import decode
from model.event import RawRecord, Reject


def cut(container: Container, data: bytes) -> list[RawRecord | Reject]:
    window = Window(Origin(io.BytesIO(data)))
    window.fill()
    return list(Frames(container, window).items())


def test_a_logfmt_line_is_its_pairs() -> None:
    found = key_values('time=2026-01-02T03:04:05Z path="/a \\"b\\"" argv=\'git push\' empty= n=4')
    assert found == {"time": "2026-01-02T03:04:05Z", "path": '/a "b"', "argv": "git push", "empty": "", "n": "4"}


def test_an_audit_line_keeps_its_prefix_its_repeats_and_what_is_quoted_inside() -> None:
    found = key_values(
        'node=web type=USER_CMD msg=audit(1772000000.123:77): pid=4 msg=\'cwd="/srv" acct="dana" exe="/usr/bin/sudo"\''
    )
    assert found is not None
    assert found["msg"] == "audit(1772000000.123:77):"
    assert found["msg_2"] == {"cwd": "/srv", "acct": "dana", "exe": "/usr/bin/sudo"}
    prefixed = key_values("Mar  3 12:00:00 host gateway[44]: route=a status=200")
    assert prefixed == {"_prefix": "Mar  3 12:00:00 host gateway[44]:", "route": "a", "status": "200"}


def test_a_value_inside_a_quoted_one_ends_where_the_next_pair_begins() -> None:
    found = key_values('type=ADD_GROUP msg=\'op=adding group to /etc/group id=4 exe="/a b" terminal= res=success\' AUID="ada"')
    assert found is not None
    assert found["msg"] == {"op": "adding group to /etc/group", "id": "4", "exe": "/a b", "terminal": "", "res": "success"}
    assert found["AUID"] == "ada"


def test_a_value_in_pieces_is_one() -> None:
    found = key_values('type=EXECVE argc=2 a0="sh" a1_len=20 a1[0]=6563686F  a1[1]="20"')
    assert found == {"type": "EXECVE", "argc": "2", "a0": "sh", "a1_len": "20", "a1": "6563686F20"}


def test_words_and_commas_between_pairs() -> None:
    found = key_values('type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=2, comm="a,b,", last=x,')
    assert found == {
        "type": "AVC",
        "msg": "audit(1.2:3):",
        "_words": "avc:  denied  { read } for",
        "pid": "2",
        "comm": "a,b,",
        "last": "x",
    }


def test_text_without_pairs_is_rejected_with_its_place() -> None:
    items = cut("keyvalue", b"a=1\nhello there\nb=2\n")
    assert [type(item) for item in items] == [RawRecord, Reject, RawRecord]
    assert isinstance(items[1], Reject)
    assert (items[1].line, items[1].offset, items[1].reason) == (2, 4, "text without key=value pairs")


def test_a_table_gives_objects_and_rows_over_several_lines_are_one_record() -> None:
    data = b'when;who;what\r\n1;dana;"two\nlines"\r\n2;lee;x;y\r\n\r\n3;kim\r\n'
    items = cut("csv", data)
    assert [decode(item.data) for item in items if isinstance(item, RawRecord)] == [
        {"when": "1", "who": "dana", "what": "two\nlines"},
        {"when": "3", "who": "kim"},
    ]
    rejected = [item for item in items if isinstance(item, Reject)]
    assert [(item.line, item.digest) for item in rejected] == [(4, sha256(b"2;lee;x;y").hexdigest())]


def test_a_cell_may_hold_a_whole_record() -> None:
    names, delimiter = header("time,raw")
    raw = json.dumps({"output": "x" * 600_000})
    assert row('2026-03-01T10:00:00Z,"' + raw.replace('"', '""') + '"', names, delimiter) == {
        "time": "2026-03-01T10:00:00Z",
        "raw": raw,
    }


def test_a_paragraph_is_all_lines_up_to_a_blank_one() -> None:
    data = b"\n# one\r\ntwo  \n\n \n\n#### three\nfour\n  \nfive"
    items = cut("paragraphs", data)
    assert [decode(item.data) for item in items if isinstance(item, RawRecord)] == [
        {"line": "# one\ntwo  "},
        {"line": "#### three\nfour"},
        {"line": "five"},
    ]
    assert [(item.line, item.offset) for item in items] == [(2, 1), (7, 18), (10, 37)]
    assert sample("paragraphs", data) == [decode(item.data) for item in items if isinstance(item, RawRecord)]


def test_a_paragraph_that_never_ends_is_refused_and_costs_its_length() -> None:
    data = b"x" * 50 + b"\n"
    items = cut("paragraphs", data * (2 * MAX_ROW // len(data)) + b"\n\nlast\n")
    assert [type(item) for item in items[:1]] == [Reject]
    assert isinstance(items[-1], RawRecord)
    assert decode(items[-1].data) == {"line": "last"}


@pytest.mark.parametrize(("first", "delimiter"), [("a,b,c", ","), ("a\tb", "\t"), ("a|b|c", "|"), ("a;b,c;d", ";")])
def test_the_delimiter_is_what_stands_most_often_in_the_first_row(first: str, delimiter: str) -> None:
    assert header(first)[1] == delimiter


def test_a_row_with_more_cells_than_columns_is_none() -> None:
    assert row("1,2,3", ["a", "b"], ",") is None
    assert row("1", ["a", "b"], ",") == {"a": "1"}


def test_a_sample_is_what_the_records_will_be() -> None:
    head = b"a=1 b=2\nc=3\n"
    assert sample("keyvalue", head) == [{"a": "1", "b": "2"}, {"c": "3"}]
    assert sample("lines", head) == [{"line": "a=1 b=2"}, {"line": "c=3"}]
    assert sample("csv", b"only one column\nx\n") == []


@given(st.lists(st.text(st.characters(blacklist_characters="\n", blacklist_categories=("Cs",)), max_size=30), max_size=12))
def test_each_line_that_says_something_is_a_record_at_its_place(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    for item in cut("lines", data):
        assert isinstance(item, RawRecord)
        assert item.original is not None
        assert data[item.offset : item.offset + len(item.original)] == item.original
        assert data[: item.offset].count(b"\n") == item.line - 1
    assert len(cut("lines", data)) == sum(1 for line in data.split(b"\n") if line.rstrip(b"\r").strip())


@given(st.text(max_size=200))
def test_no_text_breaks_the_pairs(text: str) -> None:
    found = key_values(text)
    assert found is None or all(isinstance(name, str) for name in found)


@pytest.mark.parametrize("unit", ["x", "a=", '="', 'a="\\', "a='", "=", 'a="b" ', "a[0]=b ", "\\\"a='"])
def test_a_line_costs_its_length(unit: str) -> None:
    """A pattern that tried every place of a long word for a name would be at this for hours."""
    line = (unit * 200_000)[:200_000]
    found = key_values(line)
    assert found is None or len(found) >= 1


def test_a_value_that_is_json_without_quotes_is_whole_and_words_at_the_end_are_kept() -> None:
    found = key_values('route=a headers={"accept": "a b", "x": [1]} list=["a b"] odd={"a open code=7 the rest of it')
    assert found == {
        "route": "a",
        "headers": '{"accept": "a b", "x": [1]}',
        "list": '["a b"]',
        "odd": '{"a',
        "code": "7",
        "_words": "open the rest of it",
    }


def test_colours_of_a_terminal_are_no_part_of_names_and_values() -> None:
    found = key_values('\x1b[36mINFO\x1b[0m[0061] API accessed   \x1b[36mmethod\x1b[0m=Mint \x1b[36mid\x1b[0m="a b"')
    assert found == {"_prefix": "INFO[0061] API accessed", "method": "Mint", "id": "a b"}


def test_a_sample_has_the_rows_of_a_table_whole() -> None:
    table = b'sep=;\r\n"a";b;a\r\n1;"two\r\n\r\nlines; and ""more""";3;;\r\n4;5;6;7\r\n8;"open\r\n'
    assert sample("csv", table) == [{"a": "1", "b": 'two\n\nlines; and "more"', "a_2": "3"}]
    records = cut("csv", table)
    assert next(decode(one.data) for one in records if isinstance(one, RawRecord)) == sample("csv", table)[0]
    assert [one.reason for one in records if isinstance(one, Reject)] == ["a row that is no row of a table"]


def test_a_quote_within_a_cell_costs_no_rows_that_follow() -> None:
    table = b'a,b\n1,5" pipe\n2,"x ""y"" z"\n3,"open\n4,"w"\n5,""\n6,"""q"" and\n""more"""\n7,8\n'
    found = [decode(one.data) for one in cut("csv", table) if isinstance(one, RawRecord)]
    assert [one["a"] for one in found if isinstance(one, dict)] == ["1", "2", "3", "5", "6", "7"]
    assert found[0] == {"a": "1", "b": '5" pipe'} and found[4] == {"a": "6", "b": '"q" and\n"more"'}
    assert sample("csv", table) == found


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('ab",;\t\r\n|  \u2028\x0c'), max_size=6), min_size=3, max_size=3), min_size=1, max_size=8
    )
)
def test_what_a_writer_of_tables_quotes_comes_back(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    found = [decode(one.data) for one in cut("csv", out.getvalue().encode()) if isinstance(one, RawRecord)]
    ends = [[re.sub("\r+\n", "\n", cell) for cell in one] for one in rows]
    assert [[one["a"], one["b"], one["c"]] for one in found if isinstance(one, dict)] == ends


ZEEK = b"#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tagent\n#types\ttime\taddr\tstring\n"


def test_a_table_whose_columns_a_line_of_its_head_names() -> None:
    """Zeek's tables: lines with `#` around the rows, quotes that are characters like others, and one table behind another."""
    data = ZEEK + b'1.5\t10.0.0.5\t"half\n#close\t2\n' + b"#fields\tts\tuid\n2.5\tC1\n3.5\tC2\textra\n"
    told = {"ts": "1.5", "id.orig_h": "10.0.0.5", "agent": '"half'}
    found = cut("csv", data)
    assert [decode(one.data) if isinstance(one, RawRecord) else one.reason for one in found] == [
        told,
        {"ts": "2.5", "uid": "C1"},
        "a row that is no row of a table",
    ]
    assert sample("csv", data)[:2] == [told, {"ts": "2.5", "uid": "C1"}]
    # A table whose first heading merely begins so is any other table.
    assert sample("csv", b"#id,name\n1,a\n") == [{"#id": "1", "name": "a"}]
    assert sample("csv", b"#fields\n1\ta\n") == sample("csv", b"#path\tconn\n1\t2\n") == []
