"""Importers and exporters by entry point: a broken plugin is reported, and stops nothing."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from kindlehl.domain.errors import PluginError
from kindlehl.registry import EXPORTERS, IMPORTERS, Registry


class Good:
    name = summary = "good"
    each_book = False
    warnings = ()
    render = None


class Raises:
    def __init__(self) -> None:
        raise RuntimeError("secret words of a highlight")


def point(name: str, value: str, group: str = IMPORTERS) -> EntryPoint:
    return EntryPoint(name, value, group)


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module with plugins, one that cannot be parsed and one that quits."""
    module = ModuleType("some_plugins")
    module.Good, module.Raises, module.number = Good, Raises, 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_plugins", module)
    (tmp_path / "unparsable_plugin.py").write_text("class (", "utf-8")
    (tmp_path / "quitting_plugin.py").write_text("raise SystemExit(9)", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)


BROKEN = [
    "no_such_module_of_a_plugin:X",
    "some_plugins:Missing",
    "some_plugins:Raises",
    "some_plugins:number",
    "unparsable_plugin:X",
]


@pytest.mark.parametrize("value", BROKEN)
def test_a_broken_importer_is_reported_and_the_others_load(value: str) -> None:
    """Absent, renamed, raising, no class, a syntax error: a sentence names it, without what it raised."""
    registry = Registry(
        {IMPORTERS: [point("a", "some_plugins:Good"), point("b", value), point("c", "some_plugins:Good")]}
    )
    assert [type(importer) for importer in registry.importers()] == [Good, Good]
    (sentence,) = registry.broken
    assert value in sentence
    assert "secret" not in sentence


def test_a_plugin_that_quits_stops_nothing() -> None:
    """Some scripts end with sys.exit when they are imported."""
    assert Registry({IMPORTERS: [point("b", "quitting_plugin:X")]}).importers() == []


def test_importers_are_asked_in_the_order_of_their_names() -> None:
    """Whatever was installed first: two that claim one file do not take turns."""
    registry = Registry({IMPORTERS: [point("b", "some_plugins:Good"), point("a", "some_plugins:Raises")]})
    registry.importers()
    assert len(registry.broken) == 1
    found = Registry({EXPORTERS: [point("z", "x:Y", EXPORTERS), point("a", "x:Y", EXPORTERS)]})
    assert found.exporter_names() == ["a", "z"]


def test_a_format_is_loaded_when_it_is_asked_for_and_no_other() -> None:
    """A broken PDF renderer does not stop an export to CSV."""
    points = [point("pdf", "no_such_module_of_a_plugin:X", EXPORTERS), point("csv", "some_plugins:Good", EXPORTERS)]
    registry = Registry({EXPORTERS: points})
    assert registry.exporter_names() == ["csv", "pdf"]
    assert type(registry.exporter("csv")) is Good
    assert registry.broken == []
    with pytest.raises(PluginError, match="pdf"):
        registry.exporter("pdf")


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    """The hint is what the reader may type."""
    registry = Registry({EXPORTERS: [point("csv", "some_plugins:Good", EXPORTERS)]})
    with pytest.raises(PluginError, match="docx") as raised:
        registry.exporter("docx")
    assert "csv" in (raised.value.hint or "")


def test_the_built_in_ones_come_through_the_same_door() -> None:
    """They are entry points of this distribution."""
    registry = Registry()
    assert "clippings" in [importer.name for importer in registry.importers()]
    assert {"markdown", "csv", "json", "pdf"} <= set(registry.exporter_names())
    assert registry.broken == []


def test_no_plugins_are_no_error() -> None:
    """An empty house is quiet."""
    assert Registry({}).importers() == []
    assert Registry({}).exporter_names() == []
