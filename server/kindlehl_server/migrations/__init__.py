"""Migrations of the server's database, forward only."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from kindlehl_server.store.database import Database


def migrate(database: Database) -> None:
    """Bring a database up to date: all of it, or nothing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
