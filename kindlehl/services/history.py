"""What became of a passage, and where people disagree about it."""

from collections.abc import Mapping
from typing import NamedTuple

from kindlehl.domain import fields, passages
from kindlehl.domain.facts import Edit, Id, Record, Value
from kindlehl.domain.fold import unreplaced
from kindlehl.domain.library import SHOWN_KINDS, Highlight
from kindlehl.ports import Filter, Library
from kindlehl.services.editing import held
from kindlehl.services.operations import Draft


class Event(NamedTuple):
    """One thing that a source wrote or a person did."""

    id: Id
    at: str | None
    """A source's own naive time for what it wrote, UTC with Z for what a person did; None: unknown."""
    device: str | None
    """Where a person did it; None: a source wrote it."""
    what: str
    """The kind of what a source wrote, or the field that was edited."""
    before: Value
    """What was there before, as far as its author knew."""
    after: Value
    undo: bool = False
    erased: bool = False
    """The trash was emptied: that it happened is known, what was said is not."""


def history(library: Library, id_: Id) -> list[Event]:
    """All that happened to the passage of this member: what sources wrote, then what people did, each oldest first."""
    passage = held(library, id_)
    events: list[Event] = []
    last: dict[str, str] = {}
    for record in sorted(passage.records.values(), key=passages.later):
        last_text = last.get(record.kind)
        events.append(Event(record.id, record.at, None, record.kind, last_text, record.text, erased=record.erased))
        last[record.kind] = record.text
    by_id = {edit.id: edit for edit in passage.edits}
    for edit in sorted(passage.edits, key=lambda e: (e.hlc, e.id)):
        before, after = _before(edit, by_id, passage.records), edit.value
        if edit.undo:
            undone = [by_id[id_] for id_ in edit.seen if id_ in by_id]
            before = undone[0].value if undone else None
            after = _before(undone[0], by_id, passage.records) if undone else None
        events.append(Event(edit.id, edit.at, edit.device, edit.field, before, after, edit.undo, edit.erased))
    return events


def _before(edit: Edit, by_id: Mapping[Id, Edit], records: Mapping[Id, Record]) -> Value:
    """What an edit replaced; several texts in a row, as they were shown."""
    said = [by_id[id_].value for id_ in edit.seen if id_ in by_id and not by_id[id_].undo]
    written: list[Value] = [records[id_].text for id_ in edit.seen if id_ in records]
    replaced = [value for value in (said or written) if value is not None]
    if len(replaced) > 1:
        return "\n\n".join(map(str, replaced))
    return replaced[0] if replaced else None


class Variant(NamedTuple):
    """One of several things that are said of a field."""

    value: str | None
    """None: somebody cleared it."""
    device: str | None
    """None: a source wrote it."""
    at: str | None
    """As in `Event`."""


def in_conflict(library: Library) -> list[Highlight]:
    """The passages about which people disagree."""
    return [h for h in library.shelf.highlights(Filter(kinds=SHOWN_KINDS)) if h.conflicts]


def variants(library: Library, highlight: Highlight, field: str) -> list[Variant]:
    """What is said of a text or note, oldest first."""
    passage = held(library, highlight.id)
    said = fields.in_force([edit for edit in passage.edits if edit.field == field], library.facts)
    out: list[Variant] = []
    if field == "note":
        notes = (record for record in passage.records.values() if record.kind == "note")
        out += [Variant(note.text, None, note.at) for note in unreplaced(notes, said, library.facts)]
    seen = {variant.value for variant in out}
    for edit in said:
        value = None if edit.value is None else str(edit.value)
        if not edit.erased and value not in seen:
            out.append(Variant(value, edit.device, edit.at))
            seen.add(value)
    return out


def settle(library: Library, draft: Draft, highlight: Highlight, field: str, value: str | None) -> None:
    """Say what holds from now on: it replaces all that was in conflict."""
    passage = held(library, highlight.id)
    draft.edit(passage.target, field, value, passage.replaces(field))
    draft.changes += 1
