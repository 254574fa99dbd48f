"""Importing for as long as there is something to follow: files that grow, a machine that runs, alerts."""
