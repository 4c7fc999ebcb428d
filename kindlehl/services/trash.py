"""The trash: what was deleted is hidden, comes back when it is restored, and is erased when the trash is emptied."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from kindlehl.domain import fields
from kindlehl.domain.erasure import skeleton, skeleton_of_edit
from kindlehl.domain.facts import Id, Record
from kindlehl.domain.library import SHOWN_KINDS, Highlight
from kindlehl.ports import Filter, Library
from kindlehl.services.editing import held
from kindlehl.services.operations import Draft

IN_TRASH = Filter(kinds=SHOWN_KINDS, deleted=True)
EMPTIED = "trash empty"
"""The operation that cannot be undone."""
_CLOCK_MAY_BE_AHEAD = timedelta(days=2)


def delete(library: Library, draft: Draft, highlights: Iterable[Highlight]) -> None:
    """Put passages into the trash.

    A deletion names the records it covers, the edits its author knew, and per source the latest record he held: so an
    old file from another device brings nothing back, and a passage that is marked again, or was edited by somebody who
    knew nothing of it, is not lost.
    """
    until = (draft.writer.now().replace(tzinfo=None) + _CLOCK_MAY_BE_AHEAD).isoformat(timespec="seconds")
    mark = library.facts.reached(until)
    for highlight in highlights:
        passage = held(library, highlight.id)
        knew = [edit.id for edit in passage.standing]
        draft.edit(passage.target, "deleted", True, covers=[*passage.records], knew=knew, mark=mark)
        draft.changes += 1


def restore(library: Library, draft: Draft, highlights: Iterable[Highlight]) -> None:
    """Take passages out of the trash."""
    for highlight in highlights:
        passage = held(library, highlight.id)
        in_force = [deletion.id for deletion in library.facts.deletions([*passage.records])]
        draft.edit(passage.target, "deleted", None, in_force)
        draft.changes += 1


def empty(library: Library, draft: Draft, highlights: Iterable[Highlight]) -> None:
    """Erase passages of the trash: no word of them is left, only what keeps the deleted deleted. `Library.scrub` then
    removes what the file still holds of them."""
    chosen = list(highlights)
    gone: dict[Id, Record] = {}
    for highlight in chosen:
        passage = held(library, highlight.id)
        gone |= passage.records
        draft.facts += [skeleton_of_edit(edit) for edit in passage.edits if edit.field not in fields.LINKS]
        draft.changes += 1
    _keep_together(library, draft, {highlight.book for highlight in chosen}, gone)
    draft.facts += [skeleton(record) for record in gone.values()]


def _keep_together(library: Library, draft: Draft, books: Iterable[Id], gone: Mapping[Id, Record]) -> None:
    """A title that is erased can no longer be matched with what other sources call the book: say that they are one."""
    for book in sorted(books):
        wanted = Filter(kinds=SHOWN_KINDS, books=(book,), hidden_books=True)
        shown = [*library.shelf.highlights(wanted), *library.shelf.highlights(wanted._replace(deleted=True))]
        members = [id_ for h in shown for id_ in library.shelf.members(h.id) if id_ not in gone]
        kept = {record.atom for record in library.facts.records(members).values() if not record.erased}
        lost = {atom for atom in library.shelf.atoms(book) if atom not in kept}
        for atom in sorted(lost) if kept else ():
            draft.edit(atom, "same", min(kept))
