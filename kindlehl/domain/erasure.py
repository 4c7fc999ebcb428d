"""Erasing: what is left of a fact whose words are gone, so that what was deleted stays deleted."""

from dataclasses import replace
from hashlib import blake2b

from kindlehl.domain.facts import Edit, Record, text_hash
from kindlehl.domain.text import matching, units

EVIDENCE = 4
"""Units from which on a sketch that stands in another is taken for a form of it: one chance in 65,536 a place."""


def sketch(matched: str) -> str:
    """Four bits for each unit of a matching form, as hexadecimal digits: enough to tell a longer or shorter form at one
    place of a book, too little to read. Pinned like the normaliser."""
    return "".join(blake2b(unit.encode(), digest_size=1).hexdigest()[0] for unit in units(matched))


def overlapping(one: str, other: str) -> bool:
    """Whether of two sketches one stands in the other. The words at both ends may be cut."""
    part, whole = sorted((one, other), key=len)
    inner = part[1:-1]
    return (len(part) >= EVIDENCE and part in whole) or (len(inner) >= EVIDENCE and inner in whole)


def skeleton(record: Record) -> Record:
    """What is left of a record: which book, kind, place and time, and what tells its other forms. A note leaves no
    sketch: its words are the reader's own, and a note has no longer and shorter forms."""
    if record.erased:
        return record
    matched = matching(record.text)
    return replace(
        record,
        erased=True,
        book=record.atom,
        text_hash=text_hash(matched),
        length=len(record.text),
        sketch=(sketch(matched) or None) if record.kind == "highlight" else None,
        text="",
        raw_title="",
        title="",
        author=None,
        chapter=None,
        color=None,
        reason=None,
    )


def skeleton_of_edit(edit: Edit) -> Edit:
    """What is left of an edit: target, kind of field, and what it had seen. Of a tag the name is gone too."""
    return replace(edit, erased=True, field=edit.field.partition(":")[0], value=None)
