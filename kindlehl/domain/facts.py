"""The facts a library consists of: records, imports and edits; their ids and the order of their states."""

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Literal, TypeAlias

from kindlehl.domain.values import value

Id: TypeAlias = str
"""A UUID in its canonical text form, lower case."""

Kind: TypeAlias = Literal["highlight", "note", "bookmark", "clip", "empty", "limited", "unreadable"]
"""What a record is. `clip`: a saved article; `empty`: nothing was selected; `limited`: only the message that the
publisher's clipping limit was reached; `unreadable`: kept raw for a later version to read."""

KINDS: tuple[Kind, ...] = ("highlight", "note", "bookmark", "clip", "empty", "limited", "unreadable")

Value: TypeAlias = str | bool | int | None

_NAMESPACE = bytes.fromhex("7f1c2c0c5f0d5a3e9a43d9a9c3b1c0de")  # of record and book ids; pinned for ever


@value(frozen=True, slots=True)
class Record:
    """One record of a source, as read.

    It depends on the record's raw key alone, never on the lines around it, the file's name or the time of import: two
    devices that import the same file make the same facts.
    """

    id: Id
    """UUIDv5 of the raw key, from `record_id`."""
    kind: Kind
    raw_title: str
    """What the source calls the book, U+FEFF removed, otherwise untouched: the book's identity."""
    title: str
    author: str | None = None
    text: str = ""
    """The passage, the note, or for `unreadable` the whole raw record. Line ends are `\\n`."""
    location_start: int | None = None
    """Kindle location, 1 location = 150 bytes of the book; start ≤ end."""
    location_end: int | None = None
    page: str | None = None
    """The page's label, as printed: "12", "xvi"."""
    chapter: str | None = None
    color: str | None = None
    at: str | None = None
    """When it was marked, naive ISO 8601 to the second as the source's own clock had it; never compared with UTC."""
    offset: str | None = None
    """The source's offset from UTC, "+01:00", only if it stated one."""
    truncated: bool = False
    """The text was cut by the publisher's clipping limit."""
    reason: str | None = None
    """Why an unreadable record could not be read, a sentence without any of its text."""
    revision: int = 0
    """The importer's `revision`. Of two bodies of one id the higher revision wins, then the higher certainty."""
    certainty: int = 0
    """What other lines of a file told about this one, such as the order of day and month: more is better."""
    erased: bool = False
    """Only the skeleton is left (`erasure.py`): ids, kind, position, `at`, and what tells its other forms."""
    text_hash: str | None = None
    """Of an erased text: `text_hash` of its matching form."""
    book: Id | None = None
    """Of an erased record: its book's atom, since the title is gone."""
    length: int = 0
    """Of an erased text: its length in characters, which orders the forms of one moment."""
    sketch: str | None = None
    """Of an erased highlight: `erasure.sketch` of its matching form, by which a longer or shorter form is known."""
    line: int = dataclass_field(default=0, compare=False)
    """The line of the source where it began, to tell the reader where to look. No part of the fact."""

    @property
    def atom(self) -> Id:
        """The id of the book as this source names it."""
        return self.book or book_atom(self.raw_title)


@dataclass(frozen=True, slots=True)
class Import:
    """One import: the records that had no live import from that source."""

    id: Id
    source: str
    """Importer and, where known, the device's serial: "clippings:G0012345"."""
    at: str
    """When, UTC, ISO 8601 with Z."""
    op: Id
    records: tuple[Id, ...]
    """At most `IMPORT_LIMIT`; a longer import is several facts of one op."""


IMPORT_LIMIT = 4_000


@value(frozen=True, slots=True)
class Edit:
    """One thing a person did to one field of one target.

    Fields of a passage (the target is a record): text, note, color, favorite, tag:X, visibility, deleted, and same and
    not-same with another record. Of a book (the target is an atom): title, author, hidden, and same and not-same with
    another atom. Of an import: withdrawn.
    """

    id: Id
    target: Id
    field: str
    value: Value
    """None: cleared."""
    seen: tuple[Id, ...]
    """The edits and the note records that this one replaces."""
    hlc: int
    at: str
    """The author's own wall clock, UTC, ISO 8601 with Z: what is displayed."""
    device: str
    op: Id
    covers: tuple[Id, ...] = ()
    """Of a deletion: the records shown to its author."""
    knew: tuple[Id, ...] = ()
    """Of a deletion: the heads of every field its author had."""
    mark: Mapping[str, str] = dataclass_field(default_factory=dict[str, str])
    """Of a deletion: per source the `at` of the latest record its author held."""
    erased: bool = False
    """Only the skeleton is left: target, kind of field, and what it had seen."""
    undo: bool = False
    """It says nothing itself, but takes back what it has seen, as though that had never been said; whatever that had
    replaced is in force again. It has the same target as what it takes back."""


Fact: TypeAlias = Record | Import | Edit


def _uuid(digest: bytes, version: int) -> Id:
    hexed = digest.hex()
    return (
        f"{hexed[:8]}-{hexed[8:12]}-{version:x}{hexed[13:16]}-{'89ab'[digest[8] >> 4 & 3]}{hexed[17:20]}-{hexed[20:32]}"
    )


def record_id(*key: str) -> Id:
    """The id of the record with this raw key: UUIDv5 of its parts.

    The first part names the importer's kind of source; parts are joined with U+001F, which is spelled out where a part
    holds it. What goes into a key is pinned for ever: a changed key is a duplicated library.
    """
    joined = "\x1f".join(key)
    if "\x1e" in joined or joined.count("\x1f") >= len(key):
        joined = "\x1f".join(part.replace("\x1e", "\x1e0").replace("\x1f", "\x1e1") for part in key)
    raw = _NAMESPACE + joined.encode("utf-8", "surrogatepass")
    return _uuid(hashlib.sha1(raw, usedforsecurity=False).digest(), 5)


def book_atom(raw_title: str) -> Id:
    """The id of a book as a source names it: UUIDv5 of its raw title."""
    return record_id("book", raw_title)


def new_id(now_ms: int | None = None, entropy: bytes | None = None) -> Id:
    """A UUIDv7 (RFC 9562): sortable by the millisecond it was made, unique by 74 random bits."""
    stamp = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return _uuid(stamp.to_bytes(6, "big") + (entropy or os.urandom(10)), 7)


def state(fact: "Fact | None") -> tuple[bool, int, int]:
    """What orders two states of one id, the hash of the body aside: erased, revision, certainty."""
    if isinstance(fact, Record):
        return fact.erased, fact.revision, fact.certainty
    return isinstance(fact, Edit) and fact.erased, 0, 0


def text_hash(matching: str) -> str:
    """What an erased text leaves behind: 16 hex digits of BLAKE2b of its matching form."""
    return hashlib.blake2b(matching.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
