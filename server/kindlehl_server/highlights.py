"""Highlights for whoever is no replica: a client reads folded rows, and what it says of them becomes the facts that a
replica would write."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import count
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from kindlehl import wire
from kindlehl.domain import withholding
from kindlehl.domain.errors import DeniedError, NotFoundError, ReusedKeyError, StaleError, TooLargeError
from kindlehl.domain.facts import Edit, Id, Import, Record, Value, new_id, record_id
from kindlehl.domain.library import Highlight
from kindlehl.domain.text import holds, searchable
from kindlehl.ports import Library
from kindlehl.services import adding, editing, trash
from kindlehl.services.items import item
from kindlehl.services.operations import HAND, Draft, Writer, operation
from kindlehl.services.sync.crowds import crowd
from kindlehl.services.sync.wishes import refuses
from kindlehl.wire.messages import FACT_BYTES

Tags = Annotated[list[str], Meta(max_length=1_000)]
Kept: TypeAlias = Sequence[Edit | Import]
"""What an operation left, but for records."""
_AN_ID = re.compile("[0-9a-fA-F-]{6,36}")


class New(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A passage to add. What is not given is not known."""

    text: str
    title: str
    """Of its book, words of it, or the book's id."""
    author: str | None = None
    """Of a new book."""
    note: str | None = None
    color: str | None = None
    tags: Tags = []
    page: str | None = None
    location: str | None = None
    """As a Kindle has it: "1324" or "1324-1326"."""
    chapter: str | None = None
    added_at: str | None = None
    """When, ISO 8601 without an offset; now if not said."""
    new_book: bool = False
    """Though other books have such a title."""


class Change(Struct, forbid_unknown_fields=True):
    """What is to change: a field that is not given stays as it is, and null clears it."""

    text: str | UnsetType | None = UNSET
    """Cleared, it is the source's again."""
    note: str | UnsetType | None = UNSET
    color: str | UnsetType | None = UNSET
    favorite: bool | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET
    """All that there shall be."""


class Row(NamedTuple):
    """A passage as it is read."""

    id: Id
    body: bytes
    """JSON."""
    tag: str
    """Its entity tag: changes with what is shown, and with what an edit would replace."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The passages of one person, as one of his devices reads and changes them.

    Every change comes with a key, a UUIDv7 that its author chose: the operation's id, from which those of its facts
    follow. So whatever comes again is known by the facts themselves, on a server that was restored as well.
    """

    library: Library
    device: str
    now: Callable[[], datetime]

    def read(self, id_: Id) -> Row:
        """The passage with this member. Raises NotFoundError where none is shown."""
        with self.library.snapshot():
            return self._row(self._shown(id_))

    def add(self, key: Id, new: New) -> Row:
        """Type in a passage. Raises UsageError, TooLargeError, ReusedKeyError."""

        def act(draft: Draft) -> None:
            adding.add(
                draft,
                new.text,
                None if new.new_book else adding.known(self.library, new.title, new.author),
                new.title,
                new.author,
                page=new.page,
                location=None if new.location is None else adding.location(new.location),
                chapter=new.chapter,
                at=None if new.added_at is None else adding.moment(new.added_at, "added_at"),
                said=adding.said(self.library, new.note, new.color, new.tags),
                key=key,
            )

        def same(kept: Kept) -> bool:
            said = adding.said(self.library, new.note, new.color, new.tags)
            values = {field: value for field, value in said.items() if not field.startswith("tag:")}
            edits, id_ = [fact for fact in kept if isinstance(fact, Edit)], record_id(HAND, key)
            typed = self.library.facts.records([id_]).get(id_)
            return (
                # Of what was not to be kept since, it cannot be told.
                (len(edits) == len(said) < len(kept) or bool(refuses(self.library)))
                and all(edit.target == id_ for edit in edits)
                and _say(edits, values, new.tags)
                and (typed is None or typed.erased or _is_typed(typed, new))
            )

        self._once(key, "add", new, act, same)
        return self.read(record_id(HAND, key))

    def change(self, key: Id, id_: Id, read: Set[str], change: Change) -> Row:
        """Change fields of a passage that is as it was read, by one of these tags. Raises NotFoundError, StaleError,
        UsageError, TooLargeError, ReusedKeyError."""

        def act(draft: Draft) -> None:
            highlight = self._unchanged(id_, read)
            retagged = change.tags is not UNSET
            tags = editing.retagged(highlight, change.tags or (), self.library.shelf.tags()) if retagged else {}
            editing.change(self.library, draft, [highlight], _values(change) | tags)

        def same(kept: Kept) -> bool:
            tags = None if change.tags is UNSET else change.tags or ()
            members = self.library.shelf.members(id_)
            return all(isinstance(fact, Edit) and fact.target in members for fact in kept) and _say(
                [fact for fact in kept if isinstance(fact, Edit)], _values(change), tags
            )

        self._once(key, f"edit {id_}", change, act, same)
        return self.read(id_)

    def delete(self, key: Id, id_: Id, read: Set[str]) -> None:
        """Put a passage that is as it was read into the trash. Raises NotFoundError, StaleError, ReusedKeyError."""

        def act(draft: Draft) -> None:
            trash.delete(self.library, draft, [self._unchanged(id_, read)])

        def same(kept: Kept) -> bool:
            return all(isinstance(fact, Edit) and fact.field == "deleted" and id_ in fact.covers for fact in kept)

        self._once(key, f"delete {id_}", None, act, same)

    def _once(
        self, key: Id, what: str, asked: Struct | None, act: Callable[[Draft], None], same: Callable[[Kept], bool]
    ) -> None:
        """Do it, unless it was done: the first fact of an operation tells whether the same was asked for, as far as its
        mark does, and `same` as far as they have not been erased."""
        values = () if asked is None else msgspec.structs.astuple(asked)
        if any(isinstance(value, str) and len(value.encode()) > editing.LONGEST for value in values):
            raise TooLargeError("A value is longer than 256 KiB.", hint="Keep what is longer in a file of your own.")
        content = msgspec.json.encode((what, asked))
        first, writer = next(_ids(key, content)), Writer(self.device, self.now, _ids(key, content).__next__)
        with operation(self.library, writer, what.partition(" ")[0], id_=key) as draft:
            kept = self.library.facts.of(key)
            if not kept:
                act(draft)
            elif first not in {fact.id for fact in kept} or not same(kept):
                raise ReusedKeyError("This key came with something else before.", hint="Choose a new one.")
            if any(withholding.falls_under(fact) & refuses(self.library) for fact in draft.facts):
                raise DeniedError(
                    "This server was told to keep nothing of that kind.",
                    hint="Have it keep that again: kindlehl sync start",
                )
            if any(len(wire.encode(fact).encode()) > FACT_BYTES for fact in draft.facts):
                raise TooLargeError("That is more than other devices would take.", hint="Say it in fewer words.")
            edits = [(fact, len(wire.encode(fact).encode())) for fact in draft.facts if isinstance(fact, Edit)]
            if crowd(self.library.facts, edits):
                raise TooLargeError("So much was said of it that no more is taken.", hint="Say it of another one.")

    def _shown(self, id_: Id) -> Highlight:
        highlight = self.library.shelf.get(id_)
        if highlight is None:
            raise NotFoundError("There is no such highlight.", hint="It may be in the trash.")
        return highlight

    def _unchanged(self, id_: Id, read: Set[str]) -> Highlight:
        highlight = self._shown(id_)
        if self._row(highlight).tag not in read:
            raise StaleError("It has changed since it was read.", hint="Read it anew, then change it.")
        return highlight

    def _row(self, highlight: Highlight) -> Row:
        passage = editing.held(self.library, highlight.id)
        body = wire.dumps(item(highlight))
        heads = [*sorted(passage.records), *sorted(edit.id for edit in passage.standing)]
        digest = blake2b("\n".join(heads).encode() + body, digest_size=16).hexdigest()
        return Row(highlight.id, body, f'"{digest}"')


def _values(change: Change) -> dict[str, Value]:
    """What is said of each field but tags."""
    values: dict[str, Value] = {}
    if change.text is not UNSET:
        values["text"] = editing.words(change.text or "")
    if change.note is not UNSET:
        values["note"] = editing.words(change.note or "")
    if change.color is not UNSET:
        values["color"] = editing.color(change.color or "none")
    if change.favorite is not UNSET:
        values["favorite"] = bool(change.favorite)
    return values


def _say(edits: Sequence[Edit], values: Mapping[str, Value], tags: Sequence[str] | None) -> bool:
    """Whether they say nothing but this, unless they were erased. What had been so before, none of them says."""
    named = {searchable(editing.tag(name)) for name in tags or ()}

    def agrees(edit: Edit) -> bool:
        if edit.field.startswith("tag:"):
            return tags is not None and (searchable(edit.field[4:]) in named) == bool(edit.value)
        return edit.field in values and values[edit.field] == edit.value

    return all(edit.erased or agrees(edit) for edit in edits)


def _is_typed(record: Record, new: New) -> bool:
    """Whether this is what was typed in. Of a book that was there it has the title, of which a word or an id had been
    given."""
    page, chapter = (editing.name(each or "") or None for each in (new.page, new.chapter))
    places = (None, None) if new.location is None else adding.location(new.location)
    at = None if new.added_at is None else adding.moment(new.added_at, "added_at")
    return (
        (record.text, record.page, record.chapter) == (editing.words(new.text), page, chapter)
        and (record.location_start, record.location_end) == places
        and (record.offset is not None if at is None else (record.at, record.offset) == (at, None))
        and (holds(record.title, new.title) or bool(_AN_ID.fullmatch(new.title.strip())))
    )


def _ids(key: Id, content: bytes) -> Iterator[Id]:
    """The ids of an operation's facts: of the key's time, and the same whenever the same is asked for."""
    moment, mark = int(key[:8] + key[9:13], 16), _mark(content)
    for number in count():
        chance = blake2b(f"{key} {number}".encode(), digest_size=8).digest()
        yield new_id(moment, chance[:4] + mark + chance[4:])


def _mark(content: bytes) -> bytes:
    """Tells, in nearly all cases, that a key was used twice. More of it would tell what was written after it was
    erased."""
    return blake2b(content, digest_size=2).digest()
