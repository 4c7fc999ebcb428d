"""Where things are: settings enter once, at the top, flag before environment before default."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kindlehl.domain.errors import UsageError

LIBRARY_VARIABLE = "KINDLEHL_LIBRARY"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user has set."""

    library: Path
    state: Path
    """For what may be lost without harm: logs, and which files an export wrote."""


def settings(library: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of this run."""
    named = library or (Path(environ[LIBRARY_VARIABLE]) if environ.get(LIBRARY_VARIABLE) else None)
    # platformdirs knows each system's folders; imported here since `--version` has no need of it.
    import platformdirs

    if named is None:
        named = platformdirs.user_data_path("kindlehl", appauthor=False) / "library.db"
    try:
        return Settings(named.expanduser(), platformdirs.user_state_path("kindlehl", appauthor=False))
    except RuntimeError as error:
        raise UsageError(f"{named} names a home that does not exist.", hint="Give the whole path.") from error
