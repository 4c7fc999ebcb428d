"""The fold of one island: from records and edits to the passages a person sees. Pure; order never matters."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from kindlehl.domain import fields, passages
from kindlehl.domain.facts import Edit, Id, Record
from kindlehl.domain.library import ShownKind
from kindlehl.domain.passages import Place

REVISION = 3
"""Replicas that hold the same facts and run the same fold revision show the same library. A library folded by an older
revision is rebuilt when it is opened."""

Sources: TypeAlias = Mapping[Id, Collection[str]]
"""Record → the sources it was seen in."""


@dataclass(frozen=True, slots=True)
class Island:
    """What the fold of a run of overlapping positions depends on."""

    records: Sequence[Record]
    """The present records of the kinds a reader sees."""
    sources: Sources
    edits: Sequence[Edit] = ()
    """Every edit whose target is one of the records."""
    deletions: Sequence[Edit] = ()
    """Every deletion in force that covers one of the records."""


class Passage(NamedTuple):
    """One marked place as the fold leaves it; what the shelf keeps."""

    id: Id
    kind: ShownKind
    place: Place
    members: tuple[Id, ...]
    """Every record of it: forms, notes, drafts."""
    text: str
    note: str | None
    color: str | None
    tags: tuple[str, ...]
    favorite: bool
    page: str | None
    location_start: int | None
    location_end: int | None
    chapter: str | None
    at: str | None
    offset: str | None
    truncated: bool
    source: str
    conflicts: tuple[str, ...]
    hidden: bool
    """Deleted, or erased."""
    erased: bool
    """Nothing is left to show."""


def fold(island: Island, history: fields.History) -> list[Passage]:
    """The passages of one island, hidden ones included."""
    if len(island.records) == 1 and not island.edits and not island.deletions:
        return [single(island.records[0], island.sources.get(island.records[0].id, ()))]
    return [_passage(group, island, history) for group in _groups(island, history)]


@dataclass(slots=True)
class _Group:
    """The records of one passage while it is put together."""

    shown: Record
    forms: list[Record] = field(default_factory=list[Record])
    notes: list[Record] = field(default_factory=list[Record])

    @property
    def records(self) -> list[Record]:
        return self.forms + self.notes


def _groups(island: Island, history: fields.History) -> Iterable[_Group]:
    """Records sorted into passages: forms under the one shown, notes on their highlight, bare notes by place."""
    by_id = {record.id: record for record in island.records}
    marks = [record for record in island.records if record.kind != "note"]
    apart: dict[Id, set[Id]] = defaultdict(set)
    same: list[tuple[Id, Id]] = []
    for edit in fields.in_force([edit for edit in island.edits if edit.field in ("same", "not-same")], history):
        if isinstance(edit.value, str) and edit.field == "same":
            same.append((edit.target, edit.value))
        elif isinstance(edit.value, str):
            apart[edit.target].add(edit.value)
    shown = passages.forms(marks, _spread(marks, apart)) if marks else {}
    groups: dict[Id, _Group] = {}
    for record in marks:
        groups.setdefault(shown[record.id], _Group(by_id[shown[record.id]])).forms.append(record)
    bare: list[Record] = []
    for note, on in _attached(island, history).items():
        if on is None or note in apart:
            bare.append(by_id[note])
        else:
            groups[shown[on]].notes.append(by_id[note])
    return _joined([*groups.values(), *_bare_groups(bare)], same, apart)


def _attached(island: Island, history: fields.History) -> dict[Id, Id | None]:
    """Note → the highlight that it sits on, or None.

    A note that somebody's edit had seen stays with that edit: else it would come back, on whatever highlight of its
    place is marked next.
    """
    highlights = [record for record in island.records if record.kind == "highlight"]
    notes = [record for record in island.records if record.kind == "note"]
    found = {note.id: passages.attach(note, highlights) for note in notes}
    on = {note: None if highlight is None else highlight.id for note, highlight in found.items()}
    said = fields.in_force([edit for edit in island.edits if edit.field == "note"], history) if on else ()
    if not said:
        return on
    marks = {highlight.id for highlight in highlights}
    stays: dict[Id, Id | None] = {}
    for edit in said:  # oldest first: of two that saw it the newer counts
        with_ = edit.target if edit.target in marks else on.get(edit.target)
        stays |= {id_: with_ for id_ in history.before(edit.seen) if id_ in on and id_ != edit.target}
    return on | stays


def _joined(
    groups: list[_Group], same: Sequence[tuple[Id, Id]], apart: Mapping[Id, Collection[Id]]
) -> Iterable[_Group]:
    """Passages, those that the reader joined made one. What she keeps apart is not joined: a join that had seen the
    parting has taken it back. The latest highlight of a joined passage is shown, or of notes alone the latest."""
    if not same:
        return groups
    of = {record.id: group for group in groups for record in group.records}
    for pair in same:
        one, other = (of.get(id_) for id_ in pair)
        if one is None or other is None or one is other or not _joinable(one, other, apart):
            continue
        if (bool(other.forms), passages.later(other.shown)) > (bool(one.forms), passages.later(one.shown)):
            one, other = other, one
        one.forms += other.forms
        one.notes += other.notes
        of.update((record.id, one) for record in other.records)
    return {id(group): group for group in of.values()}.values()


def _joinable(one: _Group, other: _Group, apart: Mapping[Id, Collection[Id]]) -> bool:
    kinds = {group.shown.kind for group in (one, other)}
    ids = [{record.id for record in group.records} for group in (one, other)]
    return kinds <= {"highlight", "note"} and not any(
        not theirs.isdisjoint(apart.get(id_, ())) for mine, theirs in (ids, ids[::-1]) for id_ in mine
    )


def _spread(marks: Sequence[Record], apart: Mapping[Id, set[Id]]) -> Mapping[Id, Collection[Id]]:
    """A record kept apart from one member of a passage is kept apart from all of them."""
    if not apart:
        return apart
    others = [record for record in marks if record.id not in apart]
    shown = passages.forms(others) if others else {}
    members: dict[Id, set[Id]] = defaultdict(set)
    for record_id, to in shown.items():
        members[to].add(record_id)
    return {
        id_: set(named).union(*(members[shown[other]] for other in named if other in shown))
        for id_, named in apart.items()
    }


def _bare_groups(notes: Iterable[Record]) -> list[_Group]:
    """Notes that sit on no highlight: each shown one with its drafts."""
    groups: list[_Group] = []
    at_place: dict[Place, list[Record]] = defaultdict(list)
    for note in notes:
        at_place[passages.place(note)].append(note)
    for at, same in sorted(at_place.items()):
        kept = passages.drafts(same)
        shown = [_Group(note) for note in kept]
        for note in sorted(same, key=passages.later):
            # A draft belongs to the first note after it that is shown: the one that replaced it.
            # An erased text can be told of its equals alone: where no chain leads from it any more, to the last.
            after = (g for g in shown if passages.later(g.shown) >= passages.later(note) and _draft(note, g.shown, at))
            mine = next(after, shown[-1])
            mine.notes.append(note)
        groups += shown
    return groups


def _draft(note: Record, shown: Record, at: Place) -> bool:
    return (
        note is shown or at.lane == passages.LOCATION or (at.lane == passages.PAGE and passages.contains(shown, note))
    )


def single(record: Record, sources: Collection[str]) -> Passage:
    """The passage of a record that nothing overlaps, edits or deletes: what nearly all are."""
    is_note = record.kind == "note"
    return Passage(
        record.id,
        _shown_kind(record),
        passages.place(record),
        (record.id,),
        "" if is_note else record.text,
        record.text if is_note else None,
        record.color,
        (),
        False,
        record.page,
        record.location_start,
        record.location_end,
        record.chapter,
        record.at,
        record.offset,
        record.truncated,
        min(sources, default=""),
        (),
        record.erased,
        record.erased,
    )


def _shown_kind(record: Record) -> ShownKind:
    kind = record.kind
    if kind == "highlight" or kind == "note" or kind == "bookmark" or kind == "clip":
        return kind
    raise ValueError(kind)


def _wordless_kind(record: Record) -> ShownKind:
    """What people say of a highlight whose words are erased is like a note that sits on none."""
    return "bookmark" if record.kind == "bookmark" else "note"


def _passage(group: _Group, island: Island, history: fields.History) -> Passage:
    records = group.records
    ids = {record.id for record in records}
    edits = [edit for edit in island.edits if edit.target in ids]
    heads = fields.heads(edits, history)
    shown = _readable(group)
    by_time = sorted(records, key=passages.later)
    forms = [record for record in reversed(by_time) if not group.forms or record.kind != "note"]
    texts = fields.variants(heads.get("text", ()))
    notes, unsettled = _notes(group, [edit for edit in edits if edit.field == "note"], history)
    conflicts = [
        name for name, open_ in (("text", fields.disagree(heads.get("text", ()))), ("note", unsettled)) if open_
    ]
    erased = all(record.erased for record in records) and not fields.anything_said(heads)
    deletions = [d for d in island.deletions if not ids.isdisjoint(d.covers)]
    text = "\n\n".join(texts) if texts else ("" if shown.kind == "note" else shown.text)
    return Passage(
        id=forms[-1].id,
        kind=_shown_kind(group.shown) if text or not shown.erased else _wordless_kind(group.shown),
        place=passages.place(group.shown),
        members=tuple(record.id for record in by_time),
        text=text,
        note="\n\n".join(notes) or None,
        color=_color(heads.get("color", ()), forms),
        tags=tuple(sorted(name[4:] for name, es in heads.items() if name.startswith("tag:") and fields.any_true(es))),
        favorite=bool(fields.newest(heads.get("favorite", ()))),
        page=shown.page or next((form.page for form in forms if form.page), None),
        location_start=shown.location_start,
        location_end=shown.location_end,
        chapter=shown.chapter or next((form.chapter for form in forms if form.chapter), None),
        at=shown.at,
        offset=shown.offset,
        truncated=shown.truncated,
        source=min((source for record in records for source in island.sources.get(record.id, ())), default=""),
        conflicts=tuple(conflicts),
        hidden=erased
        or fields.is_hidden(records, edits, deletions, _related(group) if deletions else {}, island.sources, history),
        erased=erased,
    )


def _readable(group: _Group) -> Record:
    """The form whose text is shown: the latest, or the latest before it where that one's text was erased."""
    if not group.shown.erased:
        return group.shown
    left = [record for record in group.forms or group.notes if not record.erased]
    return max(left, key=passages.later, default=group.shown)


def _color(heads: Sequence[Edit], forms: Sequence[Record]) -> str | None:
    if heads:
        value = fields.newest(heads)
        return str(value) if value is not None else None
    return next((form.color for form in forms if form.color), None)


def _notes(group: _Group, edits: Sequence[Edit], history: fields.History) -> tuple[list[str], bool]:
    """The notes shown at a passage, and whether they are an open conflict."""
    said = fields.in_force(edits, history)
    heads = [edit for edit in said if not edit.erased]
    kept = [note.text for note in unreplaced(group.notes, said, history)]
    return list(dict.fromkeys([*kept, *fields.variants(heads)])), fields.disagree(heads) or bool(heads and kept)


def unreplaced(notes: Iterable[Record], said: Sequence[Edit], history: fields.History) -> list[Record]:
    """The notes of the sources that are shown beside what people said in these edits in force: a note that an edit had
    seen stays with that edit; one that no edit knew stands beside it."""
    replaced = history.before(id_ for edit in said for id_ in edit.seen) if said else ()
    drafts = passages.drafts(note for note in notes if not note.erased)
    return [note for note in drafts if note.id not in replaced and note.text]


def _related(group: _Group) -> dict[Id, set[Id]]:
    """Record → the records of its passage of which it is a form, or on which it is a note. A highlight is no form of a
    note that came to sit on it: deleting the one says nothing of the other."""
    ids = {record.id for record in group.records}
    out = {note.id: ids for note in group.notes}
    for record in group.forms:
        out[record.id] = {other.id for other in group.forms if passages.are_forms(record, other)}
    return out
