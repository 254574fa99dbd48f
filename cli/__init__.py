"""The headless twin of every screen; entry point `remit`."""
