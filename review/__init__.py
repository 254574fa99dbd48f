"""The use cases: one function per thing a person can do; the CLI and the dashboard call only these."""
