"""What became of the edits of a passage: heads, conflicts, the five policies, and deletion."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from kindlehl.domain.facts import Edit, Id, Record, Value

VISIBILITY = ("private", "friends", "everyone", "public")
"""The most private first; of several heads the most private counts."""


class History(Protocol):
    """What all the facts of a library know of who had seen what."""

    def before(self, ids: Iterable[Id]) -> Collection[Id]:
        """The facts named, and all that those had seen, and so on."""
        ...


def standing(edits: Sequence[Edit], history: History) -> list[Edit]:
    """The edits of one passage, book or import that no other of them has replaced, by (HLC, id); undos and erased ones
    among them.

    An edit replaces what it had seen; through facts of other passages too, so that a split loses no knowledge.
    """
    if not edits:
        return []
    replaced = history.before(id_ for edit in edits for id_ in edit.seen)
    return sorted((edit for edit in edits if edit.id not in replaced), key=_by_clock)


def in_force(edits: Sequence[Edit], history: History) -> list[Edit]:
    """What the standing edits say, by (HLC, id); erased ones among them.

    An undo says nothing itself: it takes back what it had seen, and whatever that had replaced is in force again, as
    though it had never been replaced.
    """
    found = standing(edits, history)
    if not any(edit.undo for edit in found):
        return found
    by_id = {edit.id: edit for edit in edits}
    back = {edit.id: edit for edit in _expanded(found, by_id)}
    # What somebody who knew nothing of the undo has replaced meanwhile stays replaced.
    replaced = history.before(id_ for edit in back.values() for id_ in edit.seen)
    return sorted((edit for id_, edit in back.items() if id_ not in replaced), key=_by_clock)


def _expanded(edits: Iterable[Edit], by_id: Mapping[Id, Edit]) -> Iterator[Edit]:
    """Edits, with each undo among them replaced by what it brings back."""
    todo, followed = list(edits), set[Id]()
    while todo:
        edit = todo.pop()
        if not edit.undo:
            yield edit
        elif edit.id not in followed:
            followed.add(edit.id)
            undone = (by_id[id_] for id_ in edit.seen if id_ in by_id)
            todo += [by_id[id_] for taken_back in undone for id_ in taken_back.seen if id_ in by_id]


def _by_clock(edit: Edit) -> tuple[int, Id]:
    return edit.hlc, edit.id


def undone(undos: Iterable[Edit]) -> set[Id]:
    """The edits that these undos have taken back, undos that were themselves taken back among them. `undos` holds every
    undo that has seen an edit in question, and every undo that has seen one of those."""
    out: set[Id] = set()
    for undo in sorted(undos, key=_by_clock, reverse=True):
        if undo.id not in out:
            out.update(undo.seen)
    return out


def heads(edits: Sequence[Edit], history: History) -> dict[str, list[Edit]]:
    """Field → the edits in force that were not erased, by (HLC, id)."""
    out: dict[str, list[Edit]] = {}
    for edit in in_force(edits, history):
        if not edit.erased:
            out.setdefault(edit.field, []).append(edit)
    return out


def newest(edits: Sequence[Edit]) -> Value:
    """Policy of colour, favourite and title: the greatest (HLC, id)."""
    return edits[-1].value if edits else None


def any_true(edits: Sequence[Edit]) -> bool:
    """Policy of tags and of an import's `withdrawn`: there if any head says so."""
    return any(edit.value for edit in edits)


def most_private(edits: Sequence[Edit]) -> str:
    """Policy of visibility. What nobody set, or nobody understands, is private."""
    ranks = [VISIBILITY.index(str(e.value)) if e.value in VISIBILITY else 0 for e in edits]
    return VISIBILITY[min(ranks, default=0)]


def variants(edits: Sequence[Edit]) -> list[str]:
    """Policy of text and note: every different value that nobody replaced, oldest first. Several are a conflict."""
    return list(dict.fromkeys(str(edit.value) for edit in edits if edit.value not in (None, "")))


def disagree(edits: Sequence[Edit]) -> bool:
    """Whether the heads of a text or note are an open conflict. Cleared here and written there is one too."""
    return len({edit.value or None for edit in edits}) > 1


def is_hidden(
    records: Sequence[Record],
    edits: Sequence[Edit],
    deletions: Sequence[Edit],
    related: Mapping[Id, Collection[Id]],
    sources: Mapping[Id, Collection[str]],
    history: History,
) -> bool:
    """Whether a passage is deleted: at least one deletion applies, and every record and every edit of it is known to at
    least one of those that apply.

    So an edit that no deleter had seen brings the passage back; so does a mark made later on the same source's clock;
    another device importing an old file revives nothing. `deletions` are those in force that cover any of `records`;
    `related` gives, per record, the records of the passage of which it is a form or a note.
    """
    if not deletions:
        return False
    known_edits = history.before(id_ for deletion in deletions for id_ in deletion.knew)
    if any(e.field != "deleted" and not e.erased and e.id not in known_edits for e in edits):
        return False
    return all(
        any(_knows(deletion, record, related[record.id], sources.get(record.id, ())) for deletion in deletions)
        for record in records
    )


def _knows(deletion: Edit, record: Record, related: Collection[Id], sources: Collection[str]) -> bool:
    """A deletion knows what it covers, and forms of that which its author's copy of their source had reached."""
    if record.id in deletion.covers:
        return True
    if not any(id_ in related for id_ in deletion.covers):
        return False
    return all(
        record.at is None or source not in deletion.mark or record.at <= deletion.mark[source] for source in sources
    )
