"""How long `remit policy check` takes for a long policy, beside merely parsing its YAML.

Run as `python -m benchmarks.policy_check [--rules N]`; a rule with its tests is ten lines. "Again" is the same text with
one rule changed, which is what an editor sees after a key.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import yaml

from lang.cel import compile_condition
from policy import check

_RULE = """\
  - id: rule-{n}
    effect: {effect}
    when: >-
      action.verb == "exec" && resource.name.startsWith("acme/r{n}") &&
      (principal.origin in ["ci", "endpoint"] || agent.depth > {n})
    reason: because of {n}
    tests:
      match: [{{action.verb: exec, resource.name: acme/r{n}x, principal.origin: ci}}]
      not_match: [{{action.verb: exec, resource.name: other, principal.origin: ci}}]

"""


def policy_of(rules: int, word: str = "plain") -> str:
    """A policy of so many rules; `word` goes into the condition of the first."""
    text = "version: 1\nname: long\ndefault: ask\nrules:\n" + "".join(
        _RULE.format(n=n, effect=("deny", "ask", "allow")[n % 3]) for n in range(rules)
    )
    return text.replace("acme/r0", f"acme/r0{word}")


def took(run: Callable[[int], object]) -> float:
    """Median milliseconds of five runs, each told its number."""
    times: list[float] = []
    for number in range(5):
        start = time.perf_counter()
        run(number)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=200)
    rules = parser.parse_args().rules
    text = policy_of(rules)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    compile_condition("true")
    first = time.perf_counter()
    check(text)
    cold = (time.perf_counter() - first) * 1000
    parse = took(lambda _: yaml.compose(text, Loader=loader))
    again = took(lambda number: check(policy_of(rules, f"w{number}")))
    print(f"{text.count(chr(10)):,} lines, {rules:,} rules")
    for what, ms in (("YAML alone (compose)", parse), ("check, first time", cold), ("check, one rule changed", again)):
        print(f"  {what:<24} {ms:8.1f} ms   {ms / parse:5.1f} x YAML")


if __name__ == "__main__":
    main()
