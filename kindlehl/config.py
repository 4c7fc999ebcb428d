"""Where things are and what the user has set: flag before environment before user's file before system's file before
default."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kindlehl.domain.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from kindlehl.config_file import ConfigurationFile
    from kindlehl.domain.retention import Retention

LIBRARY_VARIABLE = "KINDLEHL_LIBRARY"
CONFIG_VARIABLE = "KINDLEHL_CONFIG"
WAIT_VARIABLE = "KINDLEHL_WAIT"
WAIT = 10.0
"""Seconds to wait for another kindlehl that writes."""


class Setting(NamedTuple):
    """A value and who set it: a flag, a variable, a file, or nobody."""

    value: object
    origin: str


class Flags(NamedTuple):
    """What stands on the command line before the command."""

    library: Path | None = None
    wait: float | None = None


@dataclass(frozen=True)
class Settings:
    """What the user has set. The files are read when the first value is asked for that neither a flag nor the
    environment gives: a command to which everything is told does not look at them."""

    flags: Mapping[str, object]
    """By the key's name."""
    environ: Mapping[str, str]
    warn: Callable[[str], object] = str
    """Told a sentence for each thing in a file that cannot be used; what the file else says is used."""

    @cached_property
    def library(self) -> Path:
        """The library's file. Raises ConfigError where a file that cannot be used might name it: a library that was not
        meant must neither be shown nor be written to."""
        return expanded(str(self.setting("library").value))

    @property
    def device(self) -> str:
        """The name of this device."""
        return str(self.setting("device").value)

    @property
    def wait(self) -> float:
        """Seconds to wait for another kindlehl that writes."""
        seconds = float(str(self.setting("wait").value))
        if seconds != seconds:  # the one number that no limit of an option keeps out
            raise UsageError("--wait nan is no number of seconds.", hint="Write it like --wait 30.")
        return seconds

    @property
    def backup_folder(self) -> Path:
        """Where backups go that are given no name."""
        return expanded(str(self.setting("backup.folder").value))

    @property
    def backup_keep(self) -> "Retention | None":
        """Which backups to keep; None: all of them."""
        from kindlehl.domain.retention import parse_retention  # only a backup asks

        value = self.setting("backup.keep").value
        return None if value is None else parse_retention(str(value))

    @property
    def config_file(self) -> Path:
        """The user's configuration file, whether it is there or not."""
        named = self.environ.get(CONFIG_VARIABLE)
        return expanded(named) if named else Path(_folders().user_config_dir("kindlehl", appauthor=False)) / NAME

    @property
    def system_file(self) -> Path:
        """The configuration file for everybody on this system, whether it is there or not."""
        return Path(_folders().site_config_dir("kindlehl", appauthor=False)) / NAME

    @property
    def state(self) -> Path:
        """A folder for what may be lost without harm: the last error, and which files an export wrote."""
        return Path(_folders().user_state_dir("kindlehl", appauthor=False))

    def table(self, name: str) -> Mapping[str, object]:
        """A table of the reader's own by its dotted name, such as `searches` or `export.vault`; empty where there is
        none. Of two files each adds its entries; where both have one, the user's is meant, whole."""
        from kindlehl.config_keys import is_table  # few commands ask for a table

        first, *rest = name.split(".")
        found: Mapping[str, object] = {name: entry.value for name, entry in self.entries(first).items()}
        for part in rest:
            inner = found.get(part)
            found = inner if is_table(inner) else {}
        return found

    def entries(self, table: str) -> Mapping[str, Setting]:
        """The entries of a table of the reader's own, and who set each."""
        from kindlehl.config_keys import is_table  # as above

        found: dict[str, Setting] = {}
        for file in reversed(self._files):
            entries = file.values.get(table)
            if is_table(entries):
                found |= {name: Setting(value, str(file.path)) for name, value in entries.items()}
        return found

    def setting(self, name: str) -> Setting:
        """The value of a key, and who set it. Raises UsageError for a variable that says no such thing."""
        if self.flags.get(name) is not None:
            return Setting(self.flags[name], f"--{name.rpartition('.')[2]}")
        variable = _variable(name)
        if self.environ.get(variable):
            return Setting(self._from_environment(name, variable), variable)
        if name == "library" and (doubt := _doubt(self._files)):
            raise ConfigError(
                f"{doubt} Which library is meant cannot be told.",
                hint="Mend it with `kindlehl config edit`, or name the library: --library PATH.",
            )
        for file in self._files:
            if name in file.values:
                return Setting(file.values[name], str(file.path))
        return Setting(self._default(name), DEFAULT)

    @property
    def problems(self) -> list[str]:
        """A sentence for each thing in a file that cannot be used."""
        return [sentence for file in self._files for sentence in file.problems.values()]

    @cached_property
    def _files(self) -> "list[ConfigurationFile]":
        """The user's and the system's file, those that are there."""
        found: list[ConfigurationFile] = []
        for path in (self.config_file, self.system_file):
            if _may_be_there(path):
                from kindlehl.config_file import read  # most people have none

                found.append(read(path))
        is_raised = _doubt(found) if self._is_open("library") else None
        for sentence in (sentence for file in found for sentence in file.problems.values()):
            if sentence != is_raised:
                self.warn(sentence)
        return found

    def _is_open(self, name: str) -> bool:
        """Whether neither a flag nor the environment sets a key."""
        return self.flags.get(name) is None and not self.environ.get(_variable(name))

    def _from_environment(self, name: str, variable: str) -> object:
        from kindlehl.config_keys import value_of  # only where somebody set a variable

        try:
            return value_of(name, self.environ[variable])
        except UsageError as error:
            raise UsageError(f"{variable} is not right: {error.message}", hint=error.hint) from error

    def _default(self, name: str) -> object:
        match name:
            case "library":
                return Path(_folders().user_data_dir("kindlehl", appauthor=False)) / "library.db"
            case "backup.folder":
                return Path(_folders().user_data_dir("kindlehl", appauthor=False)) / "backups"
            case "device":
                import platform  # only what is edited says where

                return platform.node() or "unknown"
            case "wait":
                return WAIT
            case _:
                return None


NAME = "config.toml"
DEFAULT = "default"


def _variable(name: str) -> str:
    return "KINDLEHL_" + name.upper().replace(".", "_")


def _may_be_there(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # whoever reads it will say why not
    return True


def _doubt(files: "Iterable[ConfigurationFile]") -> str | None:
    """Why it cannot be told whether a file names the library; None where it can."""
    for file in files:
        if "library" in file.values:
            return None
        if sentence := file.problems.get("", file.problems.get("library")):
            return sentence
    return None


def settings(
    library: Path | None,
    environ: Mapping[str, str],
    *,
    wait: float | None = None,
    warn: Callable[[str], object] = str,
) -> Settings:
    """The settings of this run, from what the command line says and the environment."""
    return Settings({"library": library, "wait": wait}, environ, warn)


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
