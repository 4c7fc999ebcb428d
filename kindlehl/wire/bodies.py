"""Facts on the wire and in the library's file: one JSON object each. The raw body of a fact travels untouched, so what
a newer kindlehl added is never lost on its way through an older one."""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kindlehl.domain.clock import LIMIT
from kindlehl.domain.facts import Edit, Fact, Id, Import, Kind, Record, Value

GREATEST = (1 << 53) - 1
"""The greatest number that every JSON reader and every database holds exactly."""
Number = Annotated[int, Meta(ge=0, le=GREATEST)]
Stamp = Annotated[int, Meta(ge=0, lt=LIMIT)]
AnyId = Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z")]


class RecordBody(msgspec.Struct, tag_field="type", tag="record", omit_defaults=True, gc=False):
    """A record as it travels: the fields of `Record` that are part of the fact."""

    id: Id
    kind: Kind
    raw_title: str = ""
    title: str = ""
    author: str | None = None
    text: str = ""
    location_start: Number | None = None
    location_end: Number | None = None
    page: str | None = None
    chapter: str | None = None
    color: str | None = None
    at: str | None = None
    offset: str | None = None
    truncated: bool = False
    reason: str | None = None
    revision: Number = 0
    certainty: Number = 0
    erased: bool = False
    text_hash: str | None = None
    book: Id | None = None
    length: Number = 0
    sketch: str | None = None


class ImportBody(msgspec.Struct, tag_field="type", tag="import", omit_defaults=True):
    """An import as it travels."""

    id: Id
    source: str
    at: str
    op: Id
    records: tuple[Id, ...]


class EditBody(msgspec.Struct, tag_field="type", tag="edit", omit_defaults=True):
    """An edit as it travels."""

    id: Id
    target: Id
    field: str
    value: Value
    hlc: Stamp
    at: str
    device: str
    op: Id
    seen: tuple[Id, ...] = ()
    covers: tuple[Id, ...] = ()
    knew: tuple[Id, ...] = ()
    mark: dict[str, str] = {}
    erased: bool = False
    undo: bool = False


class Header(msgspec.Struct):
    """What every fact has, of kinds yet unknown too."""

    type: str
    id: AnyId


_encode = msgspec.json.Encoder().encode
_record = msgspec.json.Decoder(RecordBody).decode
_import = msgspec.json.Decoder(ImportBody).decode
_edit = msgspec.json.Decoder(EditBody).decode
_header = msgspec.json.Decoder(Header).decode

Malformed = msgspec.MsgspecError
"""Raised by what decodes here when a body is not what its type says."""


def encode_record(r: Record) -> str:
    """A record's body. Positional, because an import encodes every record it reads."""
    return _encode(
        RecordBody(
            r.id, r.kind, r.raw_title, r.title, r.author, r.text, r.location_start, r.location_end, r.page, r.chapter,
            r.color, r.at, r.offset, r.truncated, r.reason, r.revision, r.certainty, r.erased, r.text_hash, r.book,
            r.length, r.sketch,
        )
    ).decode()  # fmt: skip


def decode_record(raw: str | bytes) -> Record:
    """The record of a body."""
    b = _record(raw)
    return Record(
        b.id, b.kind, b.raw_title, b.title, b.author, b.text, b.location_start, b.location_end, b.page, b.chapter,
        b.color, b.at, b.offset, b.truncated, b.reason, b.revision, b.certainty, b.erased, b.text_hash, b.book,
        b.length, b.sketch,
    )  # fmt: skip


def encode(fact: Fact) -> str:
    """A fact's body."""
    if isinstance(fact, Record):
        return encode_record(fact)
    if isinstance(fact, Import):
        return _encode(ImportBody(fact.id, fact.source, fact.at, fact.op, fact.records)).decode()
    return _encode(
        EditBody(
            fact.id, fact.target, fact.field, fact.value, fact.hlc, fact.at, fact.device, fact.op,
            fact.seen, fact.covers, fact.knew, dict(fact.mark), fact.erased, fact.undo,
        )
    ).decode()  # fmt: skip


def header(raw: str | bytes) -> Header:
    """A body's type and id."""
    return _header(raw)


def decode(raw: str | bytes) -> Fact | None:
    """The fact of a body; None where this version does not understand it, because a newer one wrote it. Such a body is
    kept, and read when the library is rebuilt by a version that does. Raises `Malformed` for what is no fact at all."""
    type_ = _header(raw).type
    try:
        return _decode(type_, raw)
    except msgspec.ValidationError:
        return None


def _decode(type_: str, raw: str | bytes) -> Fact | None:
    if type_ == "record":
        return decode_record(raw)
    if type_ == "import":
        b = _import(raw)
        return Import(b.id, b.source, b.at, b.op, b.records)
    if type_ == "edit":
        e = _edit(raw)
        return Edit(
            e.id, e.target, e.field, e.value, e.seen, e.hlc, e.at, e.device, e.op, e.covers, e.knew, e.mark, e.erased,
            e.undo,
        )  # fmt: skip
    return None


class _State(msgspec.Struct):
    erased: msgspec.Raw = msgspec.Raw()
    revision: msgspec.Raw = msgspec.Raw()
    certainty: msgspec.Raw = msgspec.Raw()


_state = msgspec.json.Decoder(_State).decode
_DIGITS = len(str(GREATEST))


def _number(raw: msgspec.Raw) -> int:
    """What a kind that is yet unknown may say in its own way counts as nothing."""
    said = bytes(raw)
    return int(said) if said.isdigit() and len(said) <= _DIGITS else 0


def rank(raw: str | bytes) -> tuple[bool, int, int, bytes]:
    """Orders the states of one id: erased above all, then the higher revision, the higher certainty, the greater hash.
    Adding a fact keeps the maximum, so no order of arrival can matter."""
    state = _state(raw)
    data = raw.encode() if isinstance(raw, str) else raw
    ordered = bytes(state.erased) == b"true", _number(state.revision), _number(state.certainty)
    return *ordered, hashlib.blake2b(data, digest_size=16).digest()


def digest(raw: str | bytes) -> int:
    """64 bits of a body, which says id and state: BLAKE2b, as a signed number, since databases have no other."""
    data = raw.encode() if isinstance(raw, str) else raw
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)


def dumps(value: Any) -> bytes:
    """Any plain value as JSON, for what the command line prints."""
    return _encode(value)
