"""Run by Alembic for each command: the connection, with its transaction, is the caller's."""

from alembic import context

from actors.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
