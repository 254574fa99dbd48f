"""Cedar as a policy language: Cedar itself judges, over the few distinct values each part of a condition reads.

Cedar skips a policy that errors, so that a `forbid` that reads a missing attribute forbids nothing. Here such a policy is
neither satisfied nor not: conditions are taken apart at `&&`, `||`, `!` and `if`, each part is asked of Cedar alone, and
the parts are put together with *unknown* as a third value. `docs/policy-engines.md` has the mapping of a request.
"""
