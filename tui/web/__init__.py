"""The dashboard in a browser: a server on the loopback interface, for one person, let in by an address that works once."""
