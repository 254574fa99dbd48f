"""One screen per job: queue, task, policy, sources, report."""
