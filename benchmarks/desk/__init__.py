"""What the queue costs at a million tasks; see `benchmarks/README.md`."""
