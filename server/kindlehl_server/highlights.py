"""Highlights for whoever is no replica: a client reads folded rows, and what it says of them becomes the facts that a
replica would write."""

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import count
from typing import Annotated, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from kindlehl import wire
from kindlehl.domain import withholding
from kindlehl.domain.errors import DeniedError, NotFoundError, ReusedKeyError, StaleError, TooLargeError
from kindlehl.domain.facts import Edit, Id, Value, new_id, record_id
from kindlehl.domain.library import Highlight
from kindlehl.ports import Library
from kindlehl.services import adding, editing, trash
from kindlehl.services.items import item
from kindlehl.services.operations import HAND, Draft, Writer, operation
from kindlehl.services.sync.crowds import crowd
from kindlehl.services.sync.wishes import refuses
from kindlehl.wire.messages import FACT_BYTES

Tags = Annotated[list[str], Meta(max_length=1_000)]


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

        self._once(key, "add", new, act)
        return self.read(record_id(HAND, key))

    def change(self, key: Id, id_: Id, read: Set[str], change: Change) -> Row:
        """Change fields of a passage that is as it was read, by one of these tags. Raises NotFoundError, StaleError,
        UsageError, TooLargeError, ReusedKeyError."""

        def act(draft: Draft) -> None:
            highlight = self._unchanged(id_, read)
            editing.change(self.library, draft, [highlight], self._changes(highlight, change))

        self._once(key, f"edit {id_}", change, act)
        return self.read(id_)

    def delete(self, key: Id, id_: Id, read: Set[str]) -> None:
        """Put a passage that is as it was read into the trash. Raises NotFoundError, StaleError, ReusedKeyError."""

        def act(draft: Draft) -> None:
            trash.delete(self.library, draft, [self._unchanged(id_, read)])

        self._once(key, f"delete {id_}", None, act)

    def _once(self, key: Id, what: str, asked: Struct | None, act: Callable[[Draft], None]) -> None:
        """Do it, unless it was done: the first fact of an operation tells whether the same was asked for."""
        values = () if asked is None else msgspec.structs.astuple(asked)
        if any(isinstance(value, str) and len(value.encode()) > editing.LONGEST for value in values):
            raise TooLargeError("A value is longer than 256 KiB.", hint="Keep what is longer in a file of your own.")
        content = msgspec.json.encode((what, asked))
        first, writer = next(_ids(key, content)), Writer(self.device, self.now, _ids(key, content).__next__)
        with operation(self.library, writer, what.partition(" ")[0], id_=key) as draft:
            kept = {fact.id for fact in self.library.facts.of(key)}
            if not kept:
                act(draft)
            elif first not in kept:
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

    def _changes(self, highlight: Highlight, change: Change) -> dict[str, Value]:
        changes: dict[str, Value] = {}
        if change.text is not UNSET:
            changes["text"] = editing.words(change.text or "")
        if change.note is not UNSET:
            changes["note"] = editing.words(change.note or "")
        if change.color is not UNSET:
            changes["color"] = editing.color(change.color or "none")
        if change.favorite is not UNSET:
            changes["favorite"] = bool(change.favorite)
        if change.tags is not UNSET:
            changes |= editing.retagged(highlight, change.tags or (), self.library.shelf.tags())
        return changes

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


def _ids(key: Id, content: bytes) -> Iterator[Id]:
    """The ids of an operation's facts: of the key's time, and the same whenever the same is asked for."""
    moment = int(key[:8] + key[9:13], 16)
    # Enough to notice that a key was used twice. More of it would tell what was written after it was erased.
    mark = blake2b(content, digest_size=2).digest()
    for number in count():
        chance = blake2b(f"{key} {number}".encode(), digest_size=8).digest()
        yield new_id(moment, chance[:4] + mark + chance[4:])
