"""Rego as a policy language: rego-cpp judges in a process of its own; what a missing attribute leaves open is told here.

Rego answers a missing attribute by silence: a `deny` that reads it does not fire. So the plan the engine compiled is run a
second time over an input whose missing parts are *open*, and only what comes out the same whatever they are is an answer;
the engine confirms each. `docs/policy-engines.md` states the method and its limits.
"""
