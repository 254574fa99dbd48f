"""What `ausearch` prints: interpreted records mean what auditd's own do, and what parts them is no record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.ausearch import IMPORTER
from lang.times import parse_time
from model.event import BadRecord, Event
from model.words import Clock, Effect, KeyRole, TargetClass, Tri, Verb
from tests.importer_checks import names, whole

HEAD = "audit(06/01/2026 14:00:00.243:24287) : "
RAW = """----
time->Mon Jun  1 14:00:00 2026
type=SYSCALL msg=audit(1780322400.243:24287): arch=c000003e syscall=59 success=yes exit=0 a0=1 a1=2 auid=1000 uid=0 comm="git" exe="/usr/bin/git" key=(null)ARCH=x86_64 SYSCALL=execve AUID="dana" UID="root"
type=EXECVE msg=audit(1780322400.243:24287): argc=3 a0="git" a1="commit" a2=2D6D3D666978203D2069
----
"""
SHOWN = f"""----
type=PROCTITLE msg={HEAD}proctitle=git commit -m=fix = i\x20
type=SYSCALL msg={HEAD}arch=x86_64 syscall=execve success=yes exit=0 a0=0x1 a1=0x2 auid=dana uid=root comm=git exe=/usr/bin/git key=(null)\x20
type=EXECVE msg={HEAD}argc=3 a0=git a1=commit a2=-m=fix = i\x20
"""


def events(text: str) -> list[Event]:
    parsed, rejects = whole(text, "ausearch")
    assert not rejects
    return [event for one in parsed for event in one.events]


def told(text: str) -> list[tuple[object, ...]]:
    return [
        (e.kind, e.verb, e.target, e.principal, e.decision, e.outcome, e.keys, e.attrs.get("command"), e.at) for e in events(text)
    ]


def test_an_interpreted_record_means_what_the_raw_one_does() -> None:
    assert told(SHOWN) == told(RAW)
    assert [e.clock for e in events(SHOWN)] == [Clock.ZONE_ASSUMED] * 2 and events(RAW)[0].clock is Clock.EXACT
    assert events(SHOWN)[1].attrs["command"] == "git commit '-m=fix = i'"


def one(type: str, body: str) -> Event:
    event, *_ = events(f"node=web type={type} msg={HEAD}{body} \n")
    assert names(event, KeyRole.CALL) == ["auditd.serial:web/1780322400.243:24287"]
    return event


def test_a_refused_call_names_who_was_refused_what() -> None:
    event = one(
        "SYSCALL",
        "arch=x86_64 syscall=connect success=no exit=EACCES(Permission denied) a0=0xd auid=unset uid=apache comm=httpd exe=/usr/sbin/httpd",
    )
    assert event.decision is not None and event.decision.effect is Effect.DENY
    assert event.verb is Verb.NET_CONNECT and event.principal is not None and event.principal.name == "apache"


def test_what_selinux_denied() -> None:
    event = one(
        "AVC",
        'avc:  denied  { read } for  pid=15 comm=httpd name=my shadow dev="sda" scontext=u:r:httpd_t tclass=file permissive=0',
    )
    assert event.decision is not None
    assert (event.decision.effect, event.target.name, event.decision.rule) == (Effect.DENY, "my shadow", "u:r:httpd_t")


def test_a_command_of_sudo_keeps_what_looks_like_pairs() -> None:
    event = one(
        "USER_CMD",
        "pid=7 uid=dana auid=unknown(1000) ses=5 msg='cwd=/home/d cmd=make X=1 a b exe=/usr/bin/sudo terminal=pts/0 res=success'",
    )
    assert (event.attrs["command"], event.attrs["cwd"], event.target.name) == ("make X=1 a b", "/home/d", "/usr/bin/sudo")
    assert event.principal is not None and event.principal.name == "uid:1000"


def test_an_address_stands_in_braces() -> None:
    event = one("SOCKADDR", "saddr={ saddr_fam=inet laddr=10.42.0.7 lport=5432 }")
    assert (event.target.cls, event.target.name, event.target.detail) == (TargetClass.NETWORK, "10.42.0.7", "5432")


def test_a_made_file_and_a_changed_rule() -> None:
    made = one("PATH", "item=1 name=/w/a b inode=1 mode=file,644 ouid=root objtype=CREATE cap_fp=none")
    assert (made.verb, made.target.name) == (Verb.FILE_WRITE, "/w/a b")
    rule = one("CONFIG_CHANGE", "auid=unset ses=unset op=remove_rule key=x list=exit res=no")
    assert rule.verb is Verb.GUARDRAIL_CHANGE and rule.outcome is not None and rule.outcome.effect is Tri.NO


def test_a_long_command_comes_in_pieces() -> None:
    event = one("EXECVE", "argc=3 a0=bash a1=-c a2_len=20 a2[0]=echo one;  a2[1]=echo two")
    assert event.attrs["command"] == "bash -c 'echo one; echo two'"


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        (["06/02/2026"], ["2026-06-02"]),
        (["06/02/26"], ["2026-06-02"]),
        (["2026-06-02"], ["2026-06-02"]),
        (["02.06.2026"], ["2026-06-02"]),
        (["13/06/2026", "01/07/2026"], ["2026-06-13", "2026-07-01"]),
        (["06/13/2026", "07/01/2026"], ["2026-06-13", "2026-07-01"]),
    ],
)
def test_a_date_is_as_the_locale_writes_it(dates: list[str], days: list[str]) -> None:
    lines = [f"type=USER_START msg=audit({date} 14:00:00.243:1) : pid=1 uid=root msg='op=x res=success'" for date in dates]
    assert [event.at for event in events("\n".join(lines))] == [parse_time(f"{day}T14:00:00.243Z")[0] for day in days]


@pytest.mark.parametrize("line", ["", "# ausearch -i", "type=SYSCALL msg=audit(99/99/2026 14:00:00.243:1) : a=b"])
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(BadRecord):
        IMPORTER.open().read({"line": line})


@given(st.sampled_from((SHOWN + RAW).splitlines()), st.integers(0, 160), st.text(max_size=4))
def test_no_broken_line_does_worse_than_be_refused(line: str, at: int, put: str) -> None:
    reader = IMPORTER.open()
    try:
        reader.read({"line": line[:at] + put + line[at:]})
        reader.read({"line": line[:at]})
    except BadRecord:
        return


@pytest.mark.parametrize(
    ("flags", "verb"),
    [
        ("O_RDONLY|O_CLOEXEC", Verb.FILE_READ),
        ("O_WRONLY|O_CREAT|O_TRUNC", Verb.FILE_WRITE),
        ("0x2", Verb.FILE_WRITE),
        ("0x80000", Verb.FILE_READ),
    ],
)
def test_flags_say_what_a_file_was_opened_for(flags: str, verb: Verb) -> None:
    body = f"arch=x86_64 syscall=openat success=yes exit=3 a0=AT_FDCWD a1=0x7ffc a2={flags} a3=0x0 auid=dana uid=root comm=vi exe=/usr/bin/vi"
    assert one("SYSCALL", body).verb is verb
