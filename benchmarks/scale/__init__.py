"""What a million events cost by size, how that grows, and what follows for more than one machine; see `docs/scale.md`."""
