"""How Alembic runs: on the connection it is given, in the transaction that is under way."""

from alembic import context

from kindlehl_server.store.postgresql import tables as libraries
from kindlehl_server.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=[metadata, libraries.metadata])
context.run_migrations()
