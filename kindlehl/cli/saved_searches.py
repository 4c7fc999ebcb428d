"""Saved searches on the command line: keep a query under a name, list them, forget one."""

import sys

from kindlehl import config_file
from kindlehl.cli import render
from kindlehl.cli.run import tell
from kindlehl.config import Settings
from kindlehl.domain.errors import UsageError
from kindlehl.ports import Filter
from kindlehl.services import saved

_TABLE = "searches"


def run(
    settings: Settings,
    query: list[str],
    options: Filter,
    *,
    save: str | None,
    forget: str | None,
    listing: bool,
    json: bool,
) -> None:
    """Do the one thing that is asked for. What is kept is the query: options are refused rather than lost."""
    if sum((save is not None, forget is not None, listing)) > 1:
        raise UsageError("--save, --forget and --saved exclude each other.", hint="One after the other.")
    if options != Filter():
        raise UsageError("Options cannot be saved.", hint="Write tag:x for --tag x, title:x for --book x, and so on.")
    if save is not None:
        _save(settings, save.removeprefix("@"), query)
        return
    if query:
        raise UsageError("A query has no place here.", hint="To keep one: kindlehl search --save NAME QUERY")
    if forget is not None:
        _forget(settings, forget.removeprefix("@"))
    else:
        _list(settings, json=json)


def _save(settings: Settings, name: str, query: list[str]) -> None:
    held = settings.table(_TABLE)
    text = saved.expanded(query, held)
    saved.checked(name, text)
    config_file.set_value(settings.config_file, f"{_TABLE}.{name}", text)
    before = held.get(name)
    tell(f"Saved. Use it: kindlehl search @{name}")
    if before not in (None, text):
        tell(f"  It was: {before}")


def _forget(settings: Settings, name: str) -> None:
    held = settings.table(_TABLE)
    if name not in held:
        raise saved.unknown(name, held)
    config_file.unset_value(settings.config_file, f"{_TABLE}.{name}")
    tell(f"@{name} is forgotten. It was: {held[name]}")


def _list(settings: Settings, *, json: bool) -> None:
    held = settings.table(_TABLE)
    if json:
        items = ({"name": name, "query": query} for name, query in held.items())
        render.write_json("kindlehl/searches/1", items, sys.stdout)
    elif not held:
        tell("No search is saved. Save one: kindlehl search --save NAME QUERY")
    for name, query in () if json else held.items():
        sys.stdout.write(f"{render.one_line(name)}\t{render.one_line(str(query))}\n")
