"""Importers, exporters and commands, found through entry points: the built-in ones by the same door as anybody's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from kindlehl.domain.errors import PluginError

if TYPE_CHECKING:  # the names of the formats are asked for by who types, and need none of it
    from kindlehl.domain.contract import Exporter, Importer

IMPORTERS = "kindlehl.importers"
EXPORTERS = "kindlehl.exporters"
COMMANDS = "kindlehl.commands"
_EXPORTER = ("name", "summary", "each_book", "warnings", "render")
_UPDATE = "Update or remove the package it comes from."


@dataclass(slots=True)
class Registry:
    """What can be imported and exported. A broken plugin is reported, and stops nothing."""

    found: Mapping[str, Iterable[EntryPoint]] | None = None
    """Entry points by group; None: those that are installed."""
    broken: list[str] = field(default_factory=list[str])
    """A sentence for each plugin that could not be loaded."""

    def importers(self) -> "list[Importer]":
        """Every importer that loads, by name."""
        return [plugin for point in self._points(IMPORTERS) if (plugin := self._load(point)) is not None]

    def exporter_names(self) -> list[str]:
        """The names of the formats."""
        return [point.name for point in self._points(EXPORTERS)]

    def exporter(self, name: str) -> "Exporter":
        """The exporter of a format."""
        for point in self._points(EXPORTERS):
            if point.name == name:
                plugin: Exporter | None = self._load(point)
                if plugin is None:
                    raise PluginError(self.broken[-1], hint=_UPDATE)
                lacking = [part for part in _EXPORTER if not hasattr(plugin, part)]
                if lacking:
                    raise PluginError(f"The exporter {name} lacks {' and '.join(lacking)}.", hint=_UPDATE)
                return plugin
        raise PluginError(
            f"There is no format called {name}.", hint=f"Choose one of: {', '.join(self.exporter_names())}."
        )

    def command_names(self) -> list[str]:
        """The commands that other packages add."""
        return [point.name for point in self._points(COMMANDS)]

    def command(self, name: str) -> Any:
        """Such a command, a function or a Typer app; None where there is none. Raises PluginError."""
        for point in self._points(COMMANDS):
            if point.name == name:
                try:
                    return point.load()
                except (Exception, SystemExit) as error:
                    raise PluginError(self._failed(point, error), hint=_UPDATE) from error
        return None

    def _points(self, group: str) -> list[EntryPoint]:
        points = entry_points(group=group) if self.found is None else self.found.get(group, ())
        return sorted(points, key=lambda point: point.name)

    def _load(self, point: EntryPoint) -> Any:
        try:
            return point.load()()
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a plugin raises, the others work on
            self.broken.append(self._failed(point, error))
            return None

    def _failed(self, point: EntryPoint, error: BaseException) -> str:
        return f"The plugin {point.name} ({point.value}) does not load: {type(error).__name__}."
