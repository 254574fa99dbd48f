"""Evidence packs: wished for, gathered, written, signed, checked, compared and held against their store."""
