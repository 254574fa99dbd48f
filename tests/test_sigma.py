"""Sigma rules carried over: exact in what they see, refused by name in what they cannot say."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from chains.own import as_detections, read_detections
from chains.own.rows import EVENT_CONDITION
from importers.registry import importers
from lang.cel import compile_condition, evaluate
from lang.sigma import Carried, Refused, carry_over, document
from tests.running import ok, refused, run, surroundings


def rule(detection: str, source: str, **more: object) -> str:
    return (
        yaml.safe_dump({"title": "t", "level": "high"} | more)
        + f"logsource: {{{source}}}\ndetection:\n"
        + textwrap.indent(detection, "  ")
    )


def carried(detection: str, source: str, **more: object) -> Carried:
    [one] = carry_over(rule(detection, source, **more))
    assert isinstance(one, Carried), one
    return one


def sees(one: Carried, **event: object) -> bool | None:
    """What its condition says of one event with these attributes."""
    tree = compile_condition(one.when, EVENT_CONDITION).tree
    assert tree is not None
    return evaluate(tree, {f"event.{name}": value for name, value in event.items()}).value  # type: ignore[misc]


PROCESS = "category: process_creation, product: linux"
CLOUDTRAIL = "product: aws, service: cloudtrail"
KUBERNETES = "product: kubernetes, service: audit"


@pytest.mark.parametrize(
    ("value", "command", "expected"),
    [
        ("CommandLine|contains: 'CURL -T'", "sudo curl -t x", True),
        ("CommandLine|contains|cased: 'curl -T'", "curl -t x", False),
        ("CommandLine|contains|all: [curl, evil]", "curl good", False),
        ("CommandLine: 'curl *://evil*'", "curl http://evil.example", True),
        ("CommandLine: 'cur? x'", "curl x", True),
        ("CommandLine: 'curl x'", "curl x ", False),
        ("CommandLine|startswith: 'a.b'", "axb", False),
        ("CommandLine|endswith: 'ÄÖ'", "x äö", True),
        ("CommandLine|re: 'wget .{3,5}$'", "wget abcd", True),
        ("CommandLine|re: 'WGET'", "wget", False),
        ("CommandLine|re|i: 'WGET'", "wget", True),
        ("CommandLine|base64offset|contains: 'secret'", "echo c2VjcmV0", True),
        ("CommandLine|windash|contains: ' -x '", "a /x b", True),
        ("CommandLine: '*'", "", False),
        (r"CommandLine|contains: 'a\*b'", "a*b", True),
        (r"CommandLine|contains: 'a\*b'", "axb", False),
    ],
)
def test_values_mean_what_sigma_says(value: str, command: str, expected: bool) -> None:
    one = carried(f"s: {{{value}}}\ncondition: s", PROCESS)
    assert sees(one, verb="exec", command=command) is expected
    assert sees(one, verb="file.read", command=command) is False


def test_conditions_are_carried_whole() -> None:
    text = "s_a: {CommandLine|contains: a}\ns_b: {CommandLine|contains: [b, c]}\nfilter: {CommandLine|contains: z}\n"
    one = carried(text + "condition: all of s_* and not 1 of filter*", PROCESS)
    assert [sees(one, verb="exec", command=c) for c in ("ab", "a", "acz", "bc")] == [True, False, False, False]
    assert sees(one, verb="exec") is None
    either = carried(text + "condition: [s_a, filter]", PROCESS)
    assert [sees(either, verb="exec", command=c) for c in ("a", "z", "b")] == [True, True, False]


def test_cloudtrail_as_its_importer_writes_it() -> None:
    one = carried("s: {eventSource: cloudtrail.amazonaws.com, eventName: [StopLogging, 'Update*']}\ncondition: s", CLOUDTRAIL)
    entry = {
        "eventVersion": "1.08",
        "eventTime": "2026-03-17T10:00:00Z",
        "eventSource": "cloudtrail.amazonaws.com",
        "awsRegion": "eu-north-1",
        "sourceIPAddress": "203.0.113.9",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::905613482077:user/x"},
        "requestID": "r-1",
    }
    seen = {}
    for name in ("StopLogging", "UpdateTrail", "DescribeTrails", "NotStopLogging"):
        events = importers()["cloudtrail"].open().read(entry | {"eventName": name}).events
        seen[name] = any(sees(one, format=e.format, kind=e.kind.value, tool=e.tool) for e in events)
    assert seen == {"StopLogging": True, "UpdateTrail": True, "DescribeTrails": False, "NotStopLogging": False}
    failed = carried("s: {errorCode: AccessDenied}\ncondition: s", CLOUDTRAIL)
    assert failed.refused
    assert sees(failed, format="cloudtrail", kind="effect", status="AccessDenied") is True


def test_kubernetes_objects_are_read_from_the_address() -> None:
    text = "s: {verb: create, objectRef.resource: pods, objectRef.subresource: exec, objectRef.namespace: kube-*}\ncondition: s"
    one = carried(text, KUBERNETES)

    def at(url: str, tool: str = "create pods") -> bool | None:
        return sees(one, format="kubernetes", kind="effect", tool=tool, url=url)

    assert at("/api/v1/namespaces/kube-system/pods/web-1/exec?command=sh") is True
    assert at("/api/v1/namespaces/kube-system/pods/exec") is False
    assert at("/api/v1/namespaces/shop/pods/web-1/exec") is False
    assert at("/api/v1/namespaces/kube-system/pods/web-1/exec", "get pods") is False


def test_addresses_and_ports() -> None:
    text = "s: {DestinationIp|cidr: 203.0.112.0/23, DestinationPort|gte: 1024}\ncondition: s"
    one = carried(text, "category: network_connection, product: linux")
    asked = [("203.0.113.9", 4444), ("203.0.112.1", 1024), ("203.0.114.1", 4444), ("203.0.113.9", 443)]
    found = [sees(one, verb="net.connect", destination_ip=ip, destination_port=port) for ip, port in asked]
    assert found == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rule("s: {TargetObject: x}\ncondition: s", "category: registry_event, product: windows"), ("registry_event", "windows")),
        (rule("s: {CommandLine: x}\ncondition: s", "category: process_creation, product: windows"), ("windows",)),
        (rule("s: {ParentImage: x, Hashes: y}\ncondition: s", PROCESS), ("ParentImage", "Hashes")),
        (rule("s: {requestParameters.name: x}\ncondition: s", CLOUDTRAIL), ("requestParameters.name",)),
        (rule("s: {eventName: CreateFunction20150331}\ncondition: s", CLOUDTRAIL), ("API version",)),
        (rule("s: {eventSource: '*.amazonaws.com'}\ncondition: s", CLOUDTRAIL), ("eventSource",)),
        (rule("s: [mimikatz]\ncondition: s", PROCESS), ("keywords",)),
        (rule("s: {CommandLine: null}\ncondition: s", PROCESS), ("null",)),
        (rule("s: {CommandLine|exists: true}\ncondition: s", PROCESS), ("exists",)),
        (rule("s: {CommandLine|fieldref: Image}\ncondition: s", PROCESS), ("fieldref",)),
        (rule("s: {CommandLine|expand: '%x%'}\ncondition: s", PROCESS), ("placeholder",)),
        (rule("s: {CommandLine|re: '(?<!a)b'}\ncondition: s", PROCESS), ("(?<!a)b",)),
        (rule("s: {CommandLine: x}\ntimeframe: 5m\ncondition: s", PROCESS), ("timeframe",)),
        (rule("s: {CommandLine: x}\ncondition: s | count() > 5", PROCESS), ("pySigma",)),
        (rule("s: {CommandLine: x}\ncondition: nothing", PROCESS), ("pySigma",)),
        (
            "title: c\ncorrelation: {type: event_count, rules: [a], group-by: [b], timespan: 1h, condition: {gte: 2}}\n",
            ("correlation",),
        ),
        ("title: x\ndetection: 7\nlogsource: 8\n", ("pySigma",)),
        ("- 1\n", ("no Sigma rule",)),
        ("a: [", ("line", "YAML")),
        ("a: &a [1]\nb: *a\n", ("aliases",)),
        ("[" * 400, ("nested",)),
        ("title: !!python/object:os.system x\n", ("YAML",)),
        ("title: 2026-99-99\n", ("none",)),
    ],
)
def test_what_cannot_be_carried_over_is_refused_by_name(text: str, words: tuple[str, ...]) -> None:
    [one] = carry_over(text)
    assert isinstance(one, Refused), one
    for word in words:
        assert word in one.reason, one.reason


def test_what_is_written_is_read_again_as_it_was() -> None:
    hostile = 'x"\n  - id: EVIL-1\n: {{ \u2028 \x85 \U0001f600 *a &b \\ \t'
    one = carried(
        "s: {CommandLine|contains: 'a\"b\\c😀'}\ncondition: s", PROCESS, title=hostile, author=hostile, falsepositives=[hostile]
    )
    found = read_detections(document([one]))
    assert not found.errors
    [definition] = found.definitions
    assert definition.id == one.id
    assert definition.stages[0].when == one.when
    assert as_detections(found.definitions)[0].title == " ".join(hostile.split())


def test_a_file_of_rules_by_the_command_line(tmp_path: Path) -> None:
    good, bad = (
        rule("s: {CommandLine|contains: x}\ncondition: s", PROCESS),
        rule("s: {Hashes: x}\ncondition: s", PROCESS, title="hashes"),
    )
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "all.yml").write_text(f"{good}\n---\n{bad}")
    with surroundings(tmp_path):
        ran = run("detections", "import-sigma", rules / "all.yml", "--out", tmp_path / "sigma.yaml")
        assert ran.code == 3
        assert "hashes: field Hashes: no event holds it" in ran.err
        assert "1 detections, 0 of 0 tests hold" in ok("detections", "test", tmp_path / "sigma.yaml").out
        (rules / "all.yml").write_text(good)
        assert ok("detections", "import-sigma", rules).out == (tmp_path / "sigma.yaml").read_text("utf-8")
        refused(run("detections", "import-sigma", tmp_path / "none.yml"), 3, "none.yml")
