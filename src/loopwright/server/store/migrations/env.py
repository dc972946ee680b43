"""What Alembic runs: the connection comes from `loopwright.server.store.schema`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
