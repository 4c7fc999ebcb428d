"""What whoever runs the server has set: option before environment before default."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

HOST, PORT = "127.0.0.1", 8484
PREFIX = "KINDLEHL_SERVER_"
"""Of the variables of the environment that stand for options."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server keeps what it has."""

    data: Path
    """Its folder."""
    database: str | None = None
    """The URL of its database; None: a file in its folder."""

    @property
    def url(self) -> str:
        """Of its database."""
        return self.database or f"sqlite:///{self.data / 'server.db'}"

    @property
    def libraries(self) -> Path:
        """The folder of people's libraries."""
        return self.data / "libraries"


def default_folder() -> Path:
    """Where the server keeps what it has, unless somebody says otherwise."""
    return user_data_path("kindlehl", appauthor=False) / "server"
