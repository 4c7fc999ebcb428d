"""The words of a reader's own library, that complete a command line: titles, authors, tags, ids and names."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kindlehl.config import Settings, settings

if TYPE_CHECKING:  # names of formats and of searches need no library
    from kindlehl.ports import Library

MANY = 50
"""Ids that are offered at most: more is nothing to choose from."""
PREVIEW = 50
"""Characters of a passage that an id is shown with."""


def of(kind: str, typed: str, library: str | None) -> list[tuple[str, str, str]]:
    """Words of a kind: the word, what it means, and a plainer word that means the same, if there is one.

    `library` is what the command line names; without it, the one that every command would take.
    """
    chosen = settings(Path(library) if library else None, os.environ)
    match kind:
        case "target":
            from kindlehl.registry import Registry

            profiles = _named(chosen, "export")
            return [*((name, "", "") for name in Registry().exporter_names()), *profiles]
        case "search":
            return _named(chosen, "searches")
        case _:
            return _in_the_library(kind, typed, chosen)


def _named(chosen: Settings, table: str) -> list[tuple[str, str, str]]:
    """Names of a table in the configuration."""
    return [(name, _short(str(value)), "") for name, value in sorted(chosen.table(table).items())]


def _in_the_library(kind: str, typed: str, chosen: Settings) -> list[tuple[str, str, str]]:
    from kindlehl import wiring  # as above

    # An empty file would become a library when it is opened; completing makes nothing.
    if not wiring.is_there(chosen.library) or not chosen.library.stat().st_size:
        return []
    with wiring.library_to_read(chosen.library) as lib:
        if kind == "book":
            return [(title, author or "", id_[:13]) for id_, title, author in lib.shelf.titles()]
        if kind == "author":
            return [(name, "", "") for name in sorted({author for _, _, author in lib.shelf.titles() if author})]
        if kind == "tag":
            return [(tag, "", "") for tag in lib.shelf.tags()]
        return _ids(lib, typed, deleted=kind == "deleted") if kind in ("id", "deleted") else []


def _ids(lib: "Library", typed: str, *, deleted: bool) -> list[tuple[str, str, str]]:
    """Those that begin like this, or if nothing was typed yet the newest; of what is shown, or of the trash."""
    if typed:
        begun = lib.shelf.starting_with(typed.lower(), MANY, deleted=deleted)
        found = [lib.shelf.get(id_, deleted=deleted) for id_ in begun]
    else:
        from kindlehl.ports import Filter  # as above

        found = list(lib.shelf.highlights(Filter(deleted=deleted), order="newest", limit=MANY))
    return [(h.id, _short(h.text or h.note or h.kind), "") for h in found if h]


def _short(text: str) -> str:
    words = "".join(c if c.isprintable() else " " for c in text[: 2 * PREVIEW])
    flat = " ".join(words.split())
    return flat if len(flat) <= PREVIEW else f"{flat[: PREVIEW - 1]}…"
