"""Shelving: books are renamed, joined, parted and hidden; whatever sources call them stays as it is."""

from collections.abc import Sequence

from kindlehl.domain import fields
from kindlehl.domain.errors import ConflictError, UsageError
from kindlehl.domain.facts import Edit, Id, Value
from kindlehl.domain.library import Book
from kindlehl.ports import Library
from kindlehl.services.editing import name
from kindlehl.services.operations import Draft


def rename(library: Library, draft: Draft, book: Book, title: str | None, author: str | None) -> None:
    """Call a book otherwise: None leaves a title or author as it is, an empty author is none.

    Kept through every later import, since a book is known by what its sources call it. Raises UsageError for a title
    without a word.
    """
    if title is not None and not name(title):
        raise UsageError("A book needs a title.", hint='kindlehl books rename BOOK --title "Walden"')
    standing = _standing(library, library.shelf.atoms(book.id))
    for field, value, before in (("title", title, book.title), ("author", author, book.author)):
        said = None if value is None else name(value) or None
        if value is not None and said != before:
            draft.edit(book.id, field, said, [edit.id for edit in standing if edit.field == field])
            draft.changes = 1


def hide(library: Library, draft: Draft, book: Book, *, hidden: bool) -> None:
    """Leave a book out of lists, searches and exports, or show it again. Nothing of it is lost."""
    if book.hidden != hidden:
        standing = _standing(library, library.shelf.atoms(book.id))
        draft.edit(book.id, "hidden", hidden, [edit.id for edit in standing if edit.field == "hidden"])
        draft.changes += 1


def merge(library: Library, draft: Draft, first: Book, others: Sequence[Book]) -> None:
    """Make several books one, which is called like the first, and shown or hidden like it."""
    for other in others:
        if other.id == first.id:
            raise UsageError("A book cannot be joined with itself.", hint="Name two books: kindlehl books")
        mine, theirs = library.shelf.atoms(first.id), library.shelf.atoms(other.id)
        between = _between(_standing(library, [*mine, *theirs]), "not-same", mine, theirs)
        draft.edit(first.id, "same", other.id, between)
        draft.changes += 1
    edits = _standing(library, [atom for book in (first, *others) for atom in library.shelf.atoms(book.id)])
    said: Value
    for field, said, differs in (
        ("title", first.title, any(other.title != first.title for other in others)),
        ("author", first.author, any(other.author != first.author for other in others)),
        ("hidden", first.hidden, any(other.hidden != first.hidden for other in others)),
    ):
        if differs:
            draft.edit(first.id, field, said, [edit.id for edit in edits if edit.field == field])


def split(library: Library, draft: Draft, book: Book, atom: Id) -> None:
    """Part from a book what a source calls by this title; it stays parted, whatever is imported later."""
    others = [other for other in library.shelf.atoms(book.id) if other != atom]
    if not others:
        raise UsageError("That book has a single title.", hint=f"See: kindlehl books split {book.id[:8]}")
    standing = _standing(library, [atom, *others])
    for other in others:
        draft.edit(atom, "not-same", other, _between(standing, "same", [atom], [other]))
    draft.changes += 1


def check_together(library: Library, books: Sequence[Book]) -> None:
    """Raise ConflictError unless these are one book now; the operation then has not happened."""
    ids = {book.id for book in books}
    found = [id_ for id_, *_ in library.shelf.titles(hidden=True) if ids.intersection(library.shelf.atoms(id_))]
    if len(found) != 1:
        raise ConflictError(
            "Something keeps these books apart: they, or others joined with them, were parted before.",
            hint="See what was done: kindlehl undo --list",
        )


def _standing(library: Library, atoms: Sequence[Id]) -> list[Edit]:
    return fields.standing(library.facts.edits(atoms), library.facts)


def _between(edits: Sequence[Edit], field: str, mine: Sequence[Id], theirs: Sequence[Id]) -> list[Id]:
    """The edits of this field that are about one of the first and one of the others."""
    return [
        edit.id
        for edit in edits
        if edit.field == field
        and ((edit.target in mine and edit.value in theirs) or (edit.target in theirs and edit.value in mine))
    ]
