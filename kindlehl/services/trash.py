"""The trash: what was deleted is hidden, comes back when it is restored, and is erased when the trash is emptied."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from kindlehl.domain import fields
from kindlehl.domain.erasure import skeleton, skeleton_of_edit
from kindlehl.domain.facts import Edit, Id, Record
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
    """Take passages out of the trash, and no others: what was deleted with one of them, as one passage with it then, is
    deleted anew."""
    back: set[Id] = set()
    lifted: dict[Id, Edit] = {}
    for highlight in highlights:
        passage = held(library, highlight.id)
        in_force = library.facts.deletions([*passage.records])
        draft.edit(passage.target, "deleted", None, [deletion.id for deletion in in_force])
        draft.changes += 1
        back.update(passage.records)
        lifted.update((deletion.id, deletion) for deletion in in_force)
    for deletion in lifted.values():
        others = [
            id_ for id_ in deletion.covers if id_ not in back and library.shelf.get(id_, deleted=True) is not None
        ]
        if others:
            draft.edit(others[0], "deleted", True, covers=others, knew=deletion.knew, mark=deletion.mark)


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
    left: list[Id] = []
    for book in sorted({highlight.book for highlight in chosen}):
        wanted = Filter(kinds=SHOWN_KINDS, books=(book,), hidden_books=True)
        shown = [*library.shelf.highlights(wanted), *library.shelf.highlights(wanted._replace(deleted=True))]
        staying = [id_ for h in shown for id_ in library.shelf.members(h.id) if id_ not in gone]
        _keep_together(library, draft, book, staying)
        left += staying
    # Once for all books: what is erased is read anew each time.
    draft.facts += [skeleton_of_edit(edit) for edit in _merged_words(library, left, gone)]
    draft.facts += [skeleton(record) for record in gone.values()]


def _keep_together(library: Library, draft: Draft, book: Id, left: Sequence[Id]) -> None:
    """A title that is erased can no longer be matched with what other sources call the book: say that they are one, and
    that those are which were one with it alone."""
    atoms = library.shelf.atoms(book)
    kept = {record.atom for record in library.facts.records(left).values() if not record.erased}
    for atom in atoms if kept and not kept.issuperset(atoms) else ():
        if atom != min(kept):
            draft.edit(atom, "same", min(kept))


def _merged_words(library: Library, left: Sequence[Id], gone: Mapping[Id, Record]) -> list[Edit]:
    """What other passages still hold of the words that are erased, since they were merged with those once: the edits
    that put the words together and what came of those, as far as nobody sees them any more."""
    edits = [edit for edit in library.facts.edits([*left, *gone]) if edit.field in ("same", "text", "note")]
    merges = {edit.op for edit in edits if edit.field == "same" and len({edit.target, edit.value} & gone.keys()) == 1}
    written = [edit for edit in edits if edit.field != "same"]
    theirs = {edit.id for edit in written if edit.op in merges}
    shown = {edit.id for edit in fields.in_force(written, library.facts)} if theirs else set[Id]()
    return (
        [
            edit
            for edit in written
            if edit.target not in gone
            and edit.id not in shown
            and not theirs.isdisjoint(library.facts.before([edit.id]))
        ]
        if theirs
        else []
    )
