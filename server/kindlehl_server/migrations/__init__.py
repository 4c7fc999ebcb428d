"""Migrations of the server's database, forward only."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kindlehl.domain.errors import NewerLibraryError
from kindlehl_server.store.database import Database


def migrate(database: Database) -> None:
    """Bring a database up to date: all of it, or nothing. Raises NewerLibraryError."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.writing() as connection:
        if not known.issuperset(MigrationContext.configure(connection).get_current_heads()):
            raise NewerLibraryError(
                "The server's database was written by a newer kindlehl.", hint="Update kindlehl. Nothing was changed."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
