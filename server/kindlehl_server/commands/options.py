"""Options that the server's commands share."""

from pathlib import Path
from typing import Annotated

import typer

from kindlehl_server.settings import PREFIX, Settings, default_folder

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar=f"{PREFIX}DATA", show_envvar=False, show_default=False, metavar="FOLDER",
        help=f"Where the server keeps everything; also {PREFIX}DATA.",
    ),
]  # fmt: skip
Database = Annotated[
    str | None,
    typer.Option(
        "--database", envvar=f"{PREFIX}DATABASE", show_envvar=False, show_default=False, metavar="URL",
        help=f"Its database, if not a file in that folder; also {PREFIX}DATABASE.",
    ),
]  # fmt: skip


def settings(data: Path | None, database: str | None) -> Settings:
    """What they say."""
    return Settings((data or default_folder()).expanduser(), database)
