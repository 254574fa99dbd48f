"""Schema migrations, run by Alembic through `store.migrate`."""
