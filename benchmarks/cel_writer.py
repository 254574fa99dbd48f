"""Random well-typed conditions over the request schema, and random requests for them: what differential tests feed on."""

from __future__ import annotations

import json
from random import Random

from lang.cel.spans import parse_day
from lang.cel.typed import Value

TEXTS = ("resource.name", "resource.owner", "action.command", "action.arguments.path")
INTS = ("credential.ttl_seconds", "agent.depth")
BOOLS = ("action.forced", "context.has_ticket")
LISTS = ("action.verbs", "action.targets")
DAYS = ("context.day",)
NAMES = (*TEXTS, *INTS, *BOOLS, *LISTS, *DAYS)
MAPS = {"action.arguments": ("path", "url", "server"), "resource": ("name", "owner", "detail")}
WORDS = ("", "a", "A", "ab", "abab", "b", "git push --force", "é", "日本", "a.b", "x" * 40, "aB", " a ", "path")
NUMBERS = (0, 1, 2, -1, 6, 7, 3600, (1 << 53) - 1, (1 << 63) - 1, -(1 << 63))
SPANS = ("0", "1s", "1h", "-1h", "1h30m", "0.5s", "250ms", "24h", "2562047h", "9223372036s")
TIMES = (
    "2026-03-01T00:00:00Z",
    "2026-02-28T22:00:00-02:00",
    "2024-02-29T12:30:00.25Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
DATES = ("2026-03-01", "2024-02-29", "1969-12-31", "0001-01-02", "9999-12-31", "2027-01-01")
PATTERNS = ("a", "^a", "b$", "a.*b", "(?i)A", "[ab]+", "git +push", "a|b", "^$", "\\.", "b{2}", "(ab)+", "a?b", "日")
ORDER = ("==", "!=", "<", "<=", ">", ">=")
PARTS = ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear")


class Writer:
    """Writes conditions, one choice of `random` at a time. `var` is the variable of a macro around, "" outside."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def quoted(self) -> str:
        return json.dumps(self.pick(*WORDS), ensure_ascii=False)

    def text(self, depth: int, var: str) -> str:
        form = self.pick("name", "quoted", "var", "index", *(("+", "lower", "?:", "trim", "replace") if depth > 0 else ()))
        match form:
            case "quoted":
                return self.quoted()
            case "+":
                return f"({self.text(depth - 1, var)} + {self.text(depth - 1, var)})"
            case "lower":
                return f"{self.pick(*TEXTS)}.{self.pick('lowerAscii', 'upperAscii')}()"
            case "trim":
                return f"{self.text(depth - 1, var)}.trim()"
            case "replace":
                return f"{self.text(depth - 1, var)}.replace({self.quoted()}, {self.text(0, var)})"
            case "?:":
                return f"({self.boolean(depth - 1, var)} ? {self.text(depth - 1, var)} : {self.text(depth - 1, var)})"
            case "index":
                name = self.pick(*MAPS)
                return f"{name}[{json.dumps(self.random.choice(MAPS[name]))}]"
        return var if form == "var" and var else self.pick(*TEXTS)

    def number(self, depth: int, var: str) -> str:
        form = self.pick(
            "name", "constant", "size", *(("op", "op", "size text", "neg", "index of", "part", "span", "?:") if depth > 0 else ())
        )
        match form:
            case "constant":
                return str(self.random.choice(NUMBERS))
            case "size":
                return f"size({self.pick(*LISTS, *MAPS)})"
            case "op":
                return f"({self.number(depth - 1, var)} {self.pick(*'+-*/%')} {self.number(depth - 1, var)})"
            case "size text":
                return f"{self.text(depth - 1, var)}.size()" if var else f"size({self.text(depth - 1, var)})"
            case "index of":
                return f"{self.text(depth - 1, var)}.indexOf({self.text(0, var)})"
            case "part":
                return f"{self.time(depth - 1)}.{self.pick(*PARTS)}()"
            case "span":
                return f"{self.span(depth - 1)}.{self.pick('getHours', 'getMinutes', 'getSeconds')}()"
            case "?:":
                return f"({self.boolean(depth - 1, var)} ? {self.number(depth - 1, var)} : {self.number(depth - 1, var)})"
            case "neg":
                return f"(-({self.number(depth - 1, var)}))"
        return self.pick(*INTS)

    def span(self, depth: int) -> str:
        form = self.pick("name", "name", "written", *(("+", "-", "apart") if depth > 0 else ()))
        if form == "written":
            return f'duration("{self.pick(*SPANS)}")'
        if form == "apart":
            return f"({self.time(depth - 1)} - {self.time(depth - 1)})"
        if form in "+-":
            return f"({self.span(depth - 1)} {form} {self.span(depth - 1)})"
        return "credential.ttl"

    def time(self, depth: int) -> str:
        form = self.pick("name", "name", "written", *(("+", "-") if depth > 0 else ()))
        if form == "written":
            return f'timestamp("{self.pick(*TIMES)}")'
        if form in "+-":
            return f"({self.time(depth - 1)} {form} {self.span(depth - 1)})"
        return self.pick(*DAYS)

    def boolean(self, depth: int, var: str = "") -> str:
        deep = ("&&", "||", "!", "?:", "macro", "macro", "map macro") if depth > 0 else ()
        form = self.pick(
            "name", "has", "key in", "text op", "number op", "span op", "time op", "text fn", "matches", "in list", "in []",
            "in numbers", "in [x]", "lists", *deep,
        )  # fmt: skip
        match form:
            case "&&" | "||":
                parts = [self.boolean(depth - 1, var) for _ in range(self.random.randint(2, 3))]
                return "(" + f" {form} ".join(parts) + ")"
            case "!":
                return f"!({self.boolean(depth - 1, var)})"
            case "?:":
                return f"({self.boolean(depth - 1, var)} ? {self.boolean(depth - 1, var)} : {self.boolean(depth - 1, var)})"
            case "macro" if var != "y":
                new = "y" if var else "x"
                return f"{self.pick(*LISTS)}.{self.pick('exists', 'all')}({new}, {self.boolean(depth - 1, new)})"
            case "map macro" if var != "y":
                new, name = "y" if var else "x", self.pick(*MAPS)
                body = self.pick(self.boolean(depth - 1, new), f"{name}[{new}] {self.pick(*ORDER)} {self.text(0, var)}")
                return f"{name}.{self.pick('exists', 'all')}({new}, {body})"
            case "has":
                return f"has({self.pick(*NAMES, 'credential.ttl', 'action.arguments')})"
            case "key in":
                name = self.pick(*MAPS)
                return f"{json.dumps(self.random.choice(MAPS[name]))} in {name}"
            case "text op":
                return f"{self.text(depth - 1, var)} {self.pick(*ORDER)} {self.text(depth - 1, var)}"
            case "number op":
                return f"{self.number(depth - 1, var)} {self.pick(*ORDER)} {self.number(depth - 1, var)}"
            case "span op":
                return f"{self.span(depth - 1)} {self.pick(*ORDER)} {self.span(depth - 1)}"
            case "time op":
                return f"{self.time(depth - 1)} {self.pick(*ORDER)} {self.time(depth - 1)}"
            case "text fn":
                name = self.pick("startsWith", "endsWith", "contains")
                return f"{self.text(depth - 1, var)}.{name}({self.text(0, var)})"
            case "matches":
                return f"{self.text(depth - 1, var)}.matches({json.dumps(self.pick(*PATTERNS))})"
            case "in list":
                return f"{self.text(depth - 1, var)} in {self.pick(*LISTS)}"
            case "in []":
                items = ", ".join(self.quoted() for _ in range(self.random.randint(0, 3)))
                return f"{self.text(depth - 1, var)} in [{items}]"
            case "in numbers":
                items = ", ".join(str(self.random.choice(NUMBERS)) for _ in range(self.random.randint(0, 3)))
                return f"{self.number(depth - 1, var)} in [{items}]"
            case "in [x]":
                return f"{self.text(depth - 1, var)} in [{self.text(0, var)}, {self.text(0, var)}]"
            case "lists":
                return f"{self.pick(*LISTS)} {self.pick('==', '!=')} {self.pick(*LISTS)}"
        return self.pick(*BOOLS, "true", "false")


def a_request(random: Random, missing: float = 0.3) -> dict[str, Value]:
    """A projected request; each attribute is missing with the given probability."""
    out: dict[str, Value] = {}
    for name in (*TEXTS, *(f"{m}.{key}" for m, keys in MAPS.items() for key in keys), *INTS, *BOOLS, *LISTS, *DAYS):
        if random.random() < missing:
            continue
        if name in INTS:
            out[name] = random.choice(NUMBERS)
        elif name in BOOLS:
            out[name] = random.random() < 0.5
        elif name in LISTS:
            out[name] = tuple(random.choice(WORDS) for _ in range(random.randint(0, 3)))
        elif name in DAYS:
            day = parse_day(random.choice(DATES))
            assert day is not None
            out[name] = day
        else:
            out[name] = random.choice(WORDS)
    return out
