"""Where things are: settings enter once, at the top, flag before environment before default."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindlehl.domain.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

LIBRARY_VARIABLE = "KINDLEHL_LIBRARY"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user has set."""

    library: Path

    @property
    def config_file(self) -> Path:
        """The configuration, which only the user writes."""
        return Path(_folders().user_config_dir("kindlehl", appauthor=False)) / "config.toml"

    def table(self, name: str) -> Mapping[str, object]:
        """A table of the configuration by its dotted name; empty where there is none. Raises UsageError."""
        import tomllib  # few commands ask

        try:
            held: Any = tomllib.loads(self.config_file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{self.config_file} cannot be read: {error}.", hint="Mend it, or move it away."
            ) from error
        for part in name.split("."):
            held = held.get(part) if hasattr(held, "get") else None
        return held if hasattr(held, "get") else {}

    @property
    def state(self) -> Path:
        """A folder for what may be lost without harm: the last error, and which files an export wrote."""
        return Path(_folders().user_state_dir("kindlehl", appauthor=False))


def settings(library: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of this run."""
    named = library or (Path(environ[LIBRARY_VARIABLE]) if environ.get(LIBRARY_VARIABLE) else None)
    if named is None:
        return Settings(Path(_folders().user_data_dir("kindlehl", appauthor=False)) / "library.db")
    return Settings(expanded(named))


def expanded(path: str | Path) -> Path:
    """A path as the user wrote it, with `~` for a home. Raises UsageError when there is no such home."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path} names a home that does not exist.", hint="Give the whole path.") from error


def _folders() -> "ModuleType":
    # platformdirs knows each system's folders; loaded only where the user names none.
    import platformdirs

    return platformdirs
