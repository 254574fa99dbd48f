"""Runs the examples a policy's rules carry: requests each rule must match, and requests it must not."""

from __future__ import annotations

from lang.cel import evaluate
from policy.decisions import TestResult
from policy.model import Policy

_GOT = {True: "matched", False: "not matched", None: "unknown"}


def run_tests(policy: Policy) -> list[TestResult]:
    """One result per example, in the order of the policy. An example that cannot be judged has failed, and says so.

    Expired rules are tested as if in force: their examples say what they mean, not when.
    """
    out: list[TestResult] = []
    for rule in policy.rules:
        for example in rule.examples:
            answer = evaluate(rule.tree, example.request)
            kind = "match" if example.match else "not_match"
            ok = answer.value is example.match
            missing = tuple(sorted(answer.missing))
            message = "" if ok else _message(rule.id, example.match, answer.value, missing)
            out.append(TestResult(rule.id, kind, example.line, ok, _GOT[answer.value], missing, message))
    return out


def _message(rule: str, wanted: bool, got: bool | None, missing: tuple[str, ...]) -> str:
    if got is None:
        needs = ", ".join(missing)
        return f"{rule}: unknown: the example does not state {needs}" if needs else f"{rule}: unknown: a value cannot be computed"
    return f"{rule}: the example is {'not ' if wanted else ''}matched, but {'must' if wanted else 'must not'} be"
