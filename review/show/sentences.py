"""Anything `show` can show, as sentences: the form for screen readers, pipes and narrow terminals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lang.counted import count
from review.show.branches import delegation_lines
from review.state.remedied import remedy_sentence

Doc = dict[str, Any]

INTENT = 300
"""Characters of an intent that a line shows."""
SCOPES = 12
"""Uses of a credential, by action and target, that a sentence names."""

PERMITTED = {"allow": "allowed", "deny": "denied", "ask": "put to a person", "unknown": "with no decision seen"}
ANSWERS = {"allow": "allow", "deny": "deny", "ask": "ask", "unknown": "not decided"}
"""What a decider answered; a hook without an objection decides nothing."""

_HOURLY = 600
"""Seconds a task takes at least for a rate an hour to be told of it."""


def sentences(document: Doc) -> Iterator[str]:
    """Lines of plain text for one document of `review.show.showing.show`."""
    writer = {
        "task": _task,
        "step": _step_document,
        "finding": _finding,
        "credential": _credential,
        "record": _record,
        "delegation": delegation_lines,
    }[document["kind"]]
    yield from writer(document)


def place(record: Doc | None) -> str:
    """`source:line` of a record reference."""
    if not record:
        return "record not kept"
    return f"{record['name']}:{record['line']}" + (f" (item {record['index']})" if record.get("index") else "")


def zone_mark(event: Doc) -> str:
    """What stands behind the time of an event whose log states no time zone."""
    return " (zone assumed)" if event["clock"] == "zone-assumed" else ""


def target_text(target: Doc) -> str:
    """What was reached for, by class, name and place; of one without a name the class."""
    if not target.get("name") and target["class"] == "unknown":
        return "an unknown target"
    named = f"{target['class']} {target['name']}" if target.get("name") else f"an unnamed {target['class']}"
    detail = f" {target['detail']}" if target.get("detail") else ""
    where = f" in {target['environment']}" if target.get("environment") else ""
    return f"{named}{detail}{where}"


def only_stated(step: Doc) -> bool:
    """Whether a step is what a record states, as a permission mode is, and no call that was made or answered."""
    return bool(step["actions"]) and all(one["phase"] not in ("call", "result") for one in step["actions"])


def act_text(step: Doc) -> str:
    """What a step does and to what; of what is only stated, its words."""
    return f"{step['verb']}: {step['title']}" if only_stated(step) else f"{step['verb']} on {target_text(step['target'])}"


def item_text(item: Doc) -> str:
    """Who saw an event of a step, which part of it, and what it says beyond that."""
    says = item["text"] or ("" if item["verb"] == "unknown" else item["verb"])
    return f"{item['vantage']} {item['by']} {item['phase']}{zone_mark(item)}" + (f": {says}" if says else "")


def step_text(step: Doc) -> str:
    """One step in one sentence: what was wanted, what was decided, what came of it."""
    outcome = step["outcome"]
    parts = [f"{step['at'] or 'at an unknown time'}: {act_text(step)}"]
    if step["title"] and step["title"] not in parts[0]:
        parts.append(f"`{step['title']}`")
    deciders = ", ".join(
        f"{ANSWERS[d['effect']]} by {d['by']}"
        + (f" rule {d['rule']}" if d["rule"] else "")
        + (f" ({d['reason']})" if d["reason"] else "")
        for d in step["decisions"]
    )
    parts.append(deciders or PERMITTED["unknown"])
    if step["decision_distance"]:
        parts.append(distance_text(step["decision_distance"]))
    if step["credentials"]:
        parts.append("credential " + ", ".join(step["credentials"]))
    parts.append(outcome_text(outcome))
    if not step["agent_claimed"]:
        parts.append("no agent record claims it")
    if step["zone_assumed"]:
        parts.append(f"time zone not stated by {', '.join(step['zone_assumed'])} and taken as UTC")
    return "; ".join(parts)


def _task(document: Doc) -> Iterator[str]:
    task = document["task"]
    yield f"Task {task['id']}: {task['title'] or '(no title)'}"
    who = task["principal"] or "an unknown principal"
    yield (
        f"{who} through {task['agent'] or 'an unknown agent'}"
        + (f" on behalf of {task['on_behalf_of']}" if task["on_behalf_of"] else "")
        + f"; repository {task['repository'] or 'unknown'}, environment {task['environment'] or 'unknown'}, "
        f"{task['started'] or '?'} to {task['ended'] or '?'}."
    )
    yield f"Risk {task['risk']}" + (
        ": " + ", ".join(f"{name} +{value}" for name, value in task["risk_factors"].items()) if task["risk_factors"] else ""
    )
    yield f"Seen by: {', '.join(task['vantages']) or 'nobody'}. {review_sentence(task['review'])}"
    yield from fact_lines(document["facts"])
    for intent in document["intents"]:
        yield f"Intent ({intent['kind']}) {intent['at'] or ''}{zone_mark(intent)} {intent['by'] or ''}: {intent['text']}  [{place(intent['record'])}]"
    if shown := document.get("steps_shown"):
        yield f"Steps {shown['from']} to {shown['to']} of {shown['of']}:"
    for step in document["steps"]:
        yield f"{step['n']}. {step_text(step)}."
        if step["gaps"]:
            yield f"   missing: {gaps_text(step['gaps'])}"
        for link in step["links"]:
            yield f"   {link['kind']} link on {link['key']}: {place(link['from'])} to {place(link['to'])}" + (
                f", score {link['confidence']}" if link["kind"] == "inferred" else ""
            )
    for one in document["repeated"]:
        yield f"Steps {one['from']} to {one['to']} repeat one another, {one['count']} times."
    for one in document["conformance"]:
        yield f"{one['kind'].capitalize()}: {one['policy'] or 'the policy'} at {one['point']} says {one['says']} by {one['rule']}; {one['why']} (step {one['step']})."
    for finding in document["findings"]:
        yield _finding_line(finding)
    for detection, reasons in task["not_reported"].items():
        for reason, times in reasons.items():
            yield f"Not reported: {times} of {detection}, {reason}."
    for child in document["children"]:
        yield f"Sub-agent task {child}."
    if document.get("authorised"):
        yield from authorised_lines(document["authorised"])


def _pace(facts: Doc) -> str:
    """How fast it went; of a task of moments the moments, since an hour of it was never seen."""
    if not facts["per_hour"]:
        return "No rate known"
    if facts["over_seconds"] < _HOURLY:
        return f"{count(facts['actions'], 'action')} in {facts['over_seconds']:g} s, too short to tell a rate by"
    return f"{facts['per_hour']:g} actions an hour"


def fact_lines(facts: Doc) -> Iterator[str]:
    """What a task's steps add up to, and what was new against the agent's earlier tasks in that repository."""
    shares, burst, before = facts["share"], facts["burst"], facts["baseline"]
    yield (
        f"{count(facts['actions'], 'action')}: {percent(shares['with_decision'])} with a decision, {percent(shares['effect_confirmed'])} confirmed "
        f"by the target; task-bound credentials in {facts['with_task_bound_credential']} of {facts['with_credential']} that used one."
    )
    yield _pace(facts) + (
        f", at most {burst['actions']} within {burst['within_seconds']} s from {burst['at']}." if burst else "."
    )
    distance = facts["decision_distance"]
    if distance["decisions"]:
        yield (
            f"Decisions were taken {distance['mean_seconds']:g} s from their calls on average; on the same host {distance['same_host']}, "
            f"on another {distance['other_host']}."
        )
    if before and before["first_task"]:
        yield "The first task of this agent in this repository."
    elif before:
        news = f" Tools new there: {', '.join(before['new_tools'])}." if before["new_tools"] else ""
        yield f"{count(before['tasks_before'], 'earlier task')} of this agent in this repository, since {before['first_seen']}.{news}"


def gaps_text(gaps: list[Doc]) -> str:
    """What is missing of a step, each with what its absence is worth and why."""
    return "; ".join(f"{one['part']} {one['kind']} ({one['why']})" for one in gaps)


def percent(part: float | None) -> str:
    """A share as people read it."""
    return "an unknown share" if part is None else f"{part:.0%}"


def outcome_text(outcome: Doc) -> str:
    """The four outcomes, and where vantages disagree who said what."""
    told = (
        f"permitted {outcome['permitted']}, transport {outcome['transport']}, tool {outcome['tool']}, effect {outcome['effect']}"
    )
    return told + (f"; vantages disagree: {'; '.join(outcome['disagreements'])}" if outcome["disputed"] else "")


def distance_text(distance: Doc) -> str:
    """How far from the action its decision was taken."""
    seconds, hops = distance["seconds"], distance["hops"]
    when = (
        "at an unknown distance in time"
        if seconds is None
        else f"{abs(seconds):g} s {'after' if seconds < 0 else 'before'} the call"
    )
    links = "not linked to it" if hops is None else f"{count(hops, 'link')} away"
    host = {True: "on the same host", False: "on another host", None: "host not stated"}[distance["same_host"]]
    return f"answered by {distance['by']} {when}, {links}, {host}"


def authorised_lines(state: Doc) -> Iterator[str]:
    """What was authorised at one moment."""
    where = f" (step {state['n']})" if state["n"] else ""
    yield f"Authorised at {state['at'] or 'an unknown time'}{where}: mode {state['mode'] or 'unknown'}, sandbox {state['sandbox'] or 'unknown'}."
    if state["begun"] is False or state["ended"]:
        yield "! The task had ended by then." if state["ended"] else "! The task had not begun by then."
    if state["intent"]:
        yield f"For: {state['intent'][:INTENT]}"
    for one in state["policies"]:
        revision = f" revision {one['revision']}" if one["revision"] else ""
        yield f"Policy of {one['by']}: {one['policy'] or 'unnamed'}{revision}, stated {one['stated_at'] or 'at an unknown time'}."
    for one in state["saved_policies"]:
        yield f"Saved in this store by then: policy {one['name']} version {one['version']}; no record says that it was in force."
    for one in state["credentials"]:
        yield f"Live credential {_grant(one)}."
    for one in state["uncertain_credentials"]:
        yield f"? Perhaps live: credential {_grant(one)}: {one['why']}."
    for one in state["ended_credentials"]:
        yield f"No longer live: credential {one['id']} ({one['kind'] or 'unknown kind'}), {one['why']} {one['ended']}."
    for one in state["delegations"]:
        running = {True: "running", False: "ended by then", None: "end not seen"}[one["running"]]
        yield f"Handed on in step {one['n']} to sub-agent {one['task']}: scope {one['scope'] or 'not narrowed in any record'}, {running}."
    for one in state["asked"]:
        answer = {"allow": "allowed", "deny": "refused", "unknown": "no answer seen"}[one["answer"]]
        yield f"Asked so far: step {one['n']} {one['at'] or ''} {one['verb']} {one['target']}: {answer}."
    for one in state["refused"]:
        rule = f" rule {one['rule']}" if one["rule"] else ""
        yield f"Refused so far: step {one['n']} {one['at'] or ''} {one['verb']} {one['target']} by {one['by']}{rule}."
    window = f"{state['change_window']}{' for ' + state['environment'] if state['environment'] else ''}"
    yield f"Ticket {state['ticket'] or 'unknown'}; change window {window}."
    for gap in state["unknown"]:
        yield f"Unknown: {gap['what']}: {gap['why']}."


def _grant(one: Doc) -> str:
    if one["standing"]:
        left = "never expires"
    else:
        left = "no expiry known" if one["ttl_left_seconds"] is None else f"{one['ttl_left_seconds']} s left"
    bound = ", issued to this task" if one["task_bound"] else ""
    return f"{one['id']} ({one['kind'] or 'unknown kind'}): {left}{bound}; scope {', '.join(one['scope']) or 'unknown'}"


def _finding_line(finding: Doc) -> str:
    kind = "Blind spot" if finding["blind_spot"] else f"Finding {finding['severity']}"
    return f"{kind} {finding['detection']} {finding['title']}: {finding['why']}  [{', '.join(map(place, finding['evidence']))}]"


def _step_document(document: Doc) -> Iterator[str]:
    step = document["step"]
    yield f"Step {step['n']} of task {document['task']['id']}: {document['task']['title']}"
    yield step_text(step) + "."
    if step["gaps"]:
        yield f"   missing: {gaps_text(step['gaps'])}"
    for operation in step["operations"]:
        yield f"   operation {operation['verb']} on {target_text(operation['target'])}: {operation['text']}" + (
            "" if operation["certain"] else " (not certain)"
        )
    for item in [*step["actions"], *step["effects"], *step["credential_events"]]:
        yield f"   {item_text(item)}  [{place(item['record'])}]"
    for link in step["links"]:
        yield f"   {link['kind']} link on {link['key']}: {place(link['from'])} to {place(link['to'])}"
    for change in document["changes"]:
        more = f" … and {change['left_out']} more lines" if change["left_out"] else ""
        yield f"   changes {change['path'] or 'a file that is not named'}: {count(change['added'], 'line')} added, {change['removed']} removed{more}"
        yield from (f"      {line}" for line in change["lines"])
    for finding in document["findings"]:
        yield _finding_line(finding)


def _finding(document: Doc) -> Iterator[str]:
    finding = document["finding"]
    yield _finding_line(finding)
    yield f"Task {finding['task']}" + (f", step {finding['step']}" if finding["step"] else "")
    if finding["controls"]:
        yield "Speaks to: " + ", ".join(f"{c['framework']} {c['id']}" for c in finding["controls"])
    yield from time_lines(finding["times"])
    if "remedy" in finding:
        yield f"Remedy of {remedy_sentence(finding['remedy'])}."
    yield review_sentence(finding["review"])


def time_lines(times: Doc) -> Iterator[str]:
    """From what happened to who could know of it."""
    words = {"evident": "its evidence was whole", "imported": "it was all imported", "judged": "a person judged it"}
    told = [f"{words[name]} {seconds:g} s later" for name, seconds in times["seconds_to"].items() if seconds is not None]
    yield (
        f"Happened {times['happened'] or 'at an unknown time'}; " + (", ".join(told) or "nothing is known of who knew when") + "."
    )


def _credential(document: Doc) -> Iterator[str]:
    one = document["credential"]
    yield f"Credential {one['id']}: {one['kind'] or 'unknown kind'} of {one['issuer'] or 'unknown issuer'} for {one['subject'] or '?'}"
    yield (
        f"Issued {one['issued'] or 'not seen'}, expires {one['expires'] or 'unknown'}, revoked {one['revoked'] or 'not seen'}; "
        f"{count(one['uses'], 'use')}, first {one['first_use'] or '-'}, last {one['last_use'] or '-'}."
    )
    yield f"Scope granted: {', '.join(one['scope']) or 'unknown'}. Flags: {', '.join(one['flags']) or 'none'}. Tasks: {', '.join(one['tasks'])}"
    used = ", ".join(_scope_used(u) for u in document["scope_used"][:SCOPES])
    more = f" and {len(document['scope_used']) - SCOPES} more" if len(document["scope_used"]) > SCOPES else ""
    yield f"Scope used: {used or 'no use seen'}{more}."
    if one["issue_to_first_use_seconds"] is not None:
        yield f"From issuance to first use: {one['issue_to_first_use_seconds']:g} s."
    if document["obtained_with"]:
        yield f"Obtained with {', '.join(document['obtained_with'])}."
    if rotated := one["rotated"]:
        after = (
            f"; used {rotated['uses_after']} times after that, last {rotated['last_use_after']}" if rotated["uses_after"] else ""
        )
        yield f"Replaced by credential {rotated['by']} at {rotated['at']}{after}."
    for stage in document["lifeline"]:
        yield stage_text(stage)
    for named in document["names"]:
        yield f"Known as {named['name']}: joins {named['joins']}" + (f"; but {named['limit']}." if named["limit"] else ".")
    if document["may_be"]:
        yield f"It may be {' or '.join(document['may_be'])}: their identifiers fit what is seen of this one."
    for gap in document["unknown"]:
        yield f"Unknown: {gap['what']}: {gap['why']}."


def _scope_used(used: Doc) -> str:
    vain = f", {used['refused']} in vain" if used["refused"] else ""
    return f"{used['verb']} on {target_text(used['target'])} ({used['uses']}{vain})"


def stage_text(stage: Doc) -> str:
    """One step of a lifeline; a use that came after an end leads with a mark."""
    what = stage["what"]
    if what == "used":
        what = f"used for {stage['verb']} on {target_text(stage['target'])}" + (", in vain" if stage["done"] == "no" else "")
    parts = [what + (f" seen by {stage['by']}" if stage["by"] else "")]
    if stage["expires"]:
        parts.append(f"to expire {stage['expires']}")
    if stage["host"]:
        parts.append(f"from {stage['host']}")
    if stage["task"] or stage["what"] == "used":
        parts.append(f"task {stage['task'] or '(unattributed)'}")
    late = f"AFTER {' and '.join(stage['late'])}, " if stage["late"] else ""
    where = f"  [{place(stage['record'])}]" if stage["record"] else ""
    return f"{'! ' if stage['late'] else '  '}{stage['at'] or 'at an unknown time'} {late}{', '.join(parts)}{where}"


def _record(document: Doc) -> Iterator[str]:
    record = document["record"]
    yield f"Record {record['digest']} at {place(record)}, byte {record['offset']}, source {record['source']}"
    for ref in record.get("also", []):
        yield f"   also at {place(ref)}"
    for event in document["events"]:
        yield (
            f"   {event['kind']}/{event['phase']} {event['vantage']} {event['at'] or ''}{zone_mark(event)} {event['verb']}  keys: "
            + ", ".join(f"{k['role']} {k['key']}" for k in event["keys"])
        )
    yield from [document["not_kept"]] if document["raw"] is None else document["raw"].split("\n")


def review_sentence(review: Doc) -> str:
    """Where a review stands, who has it, and what it still wants."""
    parts = [f"Review: {review['state']}"]
    if review["verdict"]:
        parts.append(f"{review['verdict']} by {review['reviewer']}: {review.get('reason', '')}")
    if review.get("pending_second"):
        parts.append("a second reviewer has to agree")
    if review.get("second"):
        parts.append(f"{review['second']} agrees")
    if review.get("disagreement"):
        parts.append("reviewers disagree")
    if review.get("assignee"):
        parts.append(f"{review['assignee']} looks after it")
    if review.get("comments"):
        parts.append(f"{review['comments']} comment{'s' if review['comments'] > 1 else ''}")
    if accepted := review.get("exception"):
        parts.append(f"risk accepted until {accepted['expires']} by {accepted['owner']} ({accepted['ticket']})")
    return "; ".join(parts) + "."
