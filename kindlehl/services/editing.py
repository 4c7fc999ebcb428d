"""Editing passages: what a person says of them becomes edits, each of which names all that it replaces."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kindlehl.domain import fields, passages
from kindlehl.domain.errors import UsageError
from kindlehl.domain.facts import Edit, Id, Record, Value
from kindlehl.domain.fold import unreplaced
from kindlehl.domain.library import Highlight
from kindlehl.domain.text import matching, searchable, units
from kindlehl.ports import Library
from kindlehl.services.operations import Draft

COLORS = ("yellow", "blue", "pink", "orange", "red", "green", "purple", "gray", "olive", "cyan")
"""The colours that Kindles, Kobos and reading apps mark with."""
LONGEST = 256 * 1024
"""Bytes of one value that every replica takes."""


@dataclass(frozen=True, slots=True)
class Held:
    """All that a library holds of one passage."""

    records: Mapping[Id, Record]
    edits: Sequence[Edit]
    standing: Sequence[Edit]
    """The edits that nobody replaced."""

    @property
    def target(self) -> Id:
        """The record that is shown: what an edit is about, and whose heirs it follows."""
        forms = [record for record in self.records.values() if record.kind != "note"]
        return max(forms or self.records.values(), key=passages.later).id

    def replaces(self, field: str) -> list[Id]:
        """What an edit of this field replaces: the edits that stand, and for a note the notes of the sources too."""
        seen = [edit.id for edit in self.standing if edit.field == field]
        if field == "note":
            seen += [record.id for record in self.records.values() if record.kind == "note" and not record.erased]
        return seen


def held(library: Library, id_: Id) -> Held:
    """What a library holds of the passage that has this member, shown or deleted."""
    records = library.facts.records(library.shelf.members(id_))
    edits = library.facts.edits([*records])
    return Held(records, edits, fields.standing(edits, library.facts))


def say(library: Library, draft: Draft, highlight: Highlight, field: str, value: Value) -> None:
    """Set one field of a passage, unless it says that already."""
    if field in highlight.conflicts or _said(highlight, field) != value:
        passage = held(library, highlight.id)
        draft.edit(passage.target, field, value, passage.replaces(field))
        draft.changes += 1


def _said(highlight: Highlight, field: str) -> Value:
    """What a passage says now."""
    if field.startswith("tag:"):
        return field[4:] in highlight.tags
    said: dict[str, Value] = {
        "text": highlight.text,
        "note": highlight.note,
        "color": highlight.color,
        "favorite": highlight.favorite,
    }
    return said[field]


def change(library: Library, draft: Draft, highlights: Iterable[Highlight], changes: Mapping[str, Value]) -> None:
    """Set fields of several passages: text, note, color, favorite, tag:X. None clears; a text that is cleared is the
    source's again."""
    for highlight in highlights:
        before = draft.changes
        for field, value in changes.items():
            say(library, draft, highlight, field, value)
        draft.changes = before + (draft.changes > before)


def color(name_: str) -> str | None:
    """A colour as it is kept; `none` is none. Raises UsageError for what is no colour."""
    wanted = name_.strip().lower().replace("grey", "gray")
    if wanted == "none":
        return None
    if wanted not in COLORS:
        raise UsageError(f"{name_} is no colour.", hint=f"Choose one of: {', '.join(COLORS)}, or none.")
    return wanted


def name(text: str) -> str:
    """What a reader calls something, on one line; empty if there is nothing in it."""
    return " ".join(_typed(text).split())


def _typed(text: str) -> str:
    """What a reader wrote, without characters that command a terminal. Raises UsageError where it is no text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            "What was written is no UTF-8 text.", hint="Save or send it as UTF-8, then try again; nothing was changed."
        ) from error
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def tag(name_: str, known: Iterable[str] = ()) -> str:
    """A tag as it is kept: without #, and spelled like the one of these that differs from it in case or accents alone.

    Raises UsageError for what is no tag.
    """
    wanted = name(name_.replace("#", " "))
    if not wanted or len(wanted) > 100 or "," in wanted:
        raise UsageError(f"`{name_}` is no tag.", hint="A tag is a word or a few, without a comma: craft")
    same = list(known)
    if wanted in same:
        return wanted
    return next((tag_ for tag_ in same if searchable(tag_) == searchable(wanted)), wanted)


def retagged(highlight: Highlight, names: Iterable[str], known: Iterable[str]) -> dict[str, Value]:
    """What to change so that a passage has these tags and no others. Raises UsageError for what is no tag."""
    known = (*highlight.tags, *known)
    tags = [tag(name_, known) for name_ in names]
    changes: dict[str, Value] = {f"tag:{name_}": True for name_ in tags if name_ not in highlight.tags}
    return changes | {f"tag:{name_}": False for name_ in highlight.tags if name_ not in tags}


def words(text: str) -> str | None:
    """What a reader wrote, as it is kept; empty is nothing. Raises UsageError where it is no text, or longer than what
    can be kept."""
    written = _typed(text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(written.encode()) > LONGEST:
        raise UsageError("That is longer than 256 KiB.", hint="Keep what is longer in a file of your own.")
    return written or None


def split(library: Library, draft: Draft, highlight: Highlight, parts: Sequence[Id]) -> None:
    """Part records from the passage that holds them; each is a passage of its own from then on, whatever comes later.
    What the reader had merged with one of them comes apart as it was before: no text of several is left without one.

    Raises UsageError where they are not of this passage, or all of it.
    """
    passage = held(library, highlight.id)
    rest = [id_ for id_ in passage.records if id_ not in parts]
    if not parts or not rest or not passage.records.keys() >= set(parts):
        raise UsageError(
            "That leaves nothing to part.", hint=f"See what it was joined from: kindlehl show {highlight.id[:8]}"
        )
    links = [edit for edit in passage.standing if edit.field == "same"]
    if not any(part in (link.target, link.value) for part in parts for link in links):
        links = []
    taken_back = [link.id for link in links]
    for part in parts:
        for n, other in enumerate(rest):
            draft.edit(part, "not-same", other, [] if n else taken_back)
        draft.changes += 1
    undone = fields.undone(edit for edit in passage.edits if edit.undo)
    for edit in passage.edits:  # the words that the merges put together
        if edit.op in {link.op for link in links} and edit.field in ("text", "note") and edit.id not in undone:
            draft.edit(edit.target, edit.field, None, [edit.id], undo=True)


def merge(library: Library, draft: Draft, first: Highlight, other: Highlight) -> None:
    """Make two passages of one book one. Where neither text holds the other, the words of both are shown, in reading
    order, and so are the notes of both; nothing is hidden by a merge.

    Raises UsageError where that makes no sense.
    """
    if first.book != other.book:
        raise UsageError(
            "They are of different books.", hint="If the books are one, join those first: kindlehl books merge"
        )
    if first.id == other.id:
        raise UsageError("They are one passage already.", hint=f"See: kindlehl show {first.id[:8]}")
    if not {first.kind, other.kind} <= {"highlight", "note"}:
        raise UsageError(
            "Only highlights and notes can be merged.", hint="Bookmarks and saved articles stay as they are."
        )
    pair = [held(library, highlight.id) for highlight in (first, other)]
    one, two = sorted(pair, key=lambda passage: passages.place(passage.records[passage.target]))
    apart = [
        edit.id
        for edit in (*one.standing, *two.standing)
        if edit.field == "not-same" and edit.value in {**one.records, **two.records}
    ]
    draft.edit(one.target, "same", two.target, apart)
    draft.changes += 1
    whole = _both(*([first.text, other.text] if pair[0] is one else [other.text, first.text]))
    marked = [record for passage in pair if (record := passage.records[passage.target]).kind == "highlight"]
    if marked and whole != max(marked, key=passages.later).text:
        draft.edit(one.target, "text", whole, [*one.replaces("text"), *two.replaces("text")])
    notes = [note for note in (first.note, other.note)[:: 1 if pair[0] is one else -1] if note]
    if len(notes) == 2 and not _stand_side_by_side(library, one, two):
        together = "\n\n".join(dict.fromkeys(notes))
        draft.edit(one.target, "note", together, [*one.replaces("note"), *two.replaces("note")])


def _stand_side_by_side(library: Library, one: Held, two: Held) -> bool:
    """Whether the notes of two passages are all shown when those are one: nobody edited them, and none is taken for a
    draft of another."""
    pair = [[record for record in passage.records.values() if record.kind == "note"] for passage in (one, two)]
    edited = any(edit.field == "note" for passage in (one, two) for edit in passage.standing)
    apart = [note for notes in pair for note in unreplaced(notes, (), library.facts)]
    return not edited and len(unreplaced([*pair[0], *pair[1]], (), library.facts)) == len(apart)


def _both(first: str, other: str) -> str:
    """The words of two texts: the one that holds the other, else both in a row; no space between scripts that do not
    part their words."""
    a, b = matching(first), matching(other)
    if a in b or b in a:
        return other if a in b else first
    return ("" if len(units(other[0] * 2)) == 2 else " ").join((first, other))
