"""What became of the edits of a passage: heads, conflicts, the five policies, and deletion."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from typing import Protocol

from kindlehl.domain.facts import Edit, Id, Record, Value

VISIBILITY = ("private", "friends", "everyone", "public")
"""The most private first; of several heads the most private counts."""
LINKS = ("deleted", "same", "not-same", "visibility")
"""Fields of a passage that hold no words: they say what belongs to what, and what is shown to whom."""


class History(Protocol):
    """What all the facts of a library know of who had seen what."""

    def before(self, ids: Iterable[Id]) -> Set[Id]:
        """The facts named, and all that those had seen, and so on."""
        ...


class Seen:
    """The history of some edits, which is all there is of it that matters: what each had seen."""

    def __init__(self, seen: Mapping[Id, Iterable[Id]]) -> None:
        self._seen = seen

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        out: set[Id] = set()
        todo = [*ids]
        while todo:
            id_ = todo.pop()
            if id_ not in out:
                out.add(id_)
                todo += self._seen.get(id_, ())
        return out


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
    """What people say, by (HLC, id): the edits that were not undone and that no other such edit has replaced, erased
    ones among them. An undo says nothing itself."""
    taken_back = undone(edit for edit in edits if edit.undo)
    return standing([edit for edit in edits if not edit.undo and edit.id not in taken_back], history)


def _by_clock(edit: Edit) -> tuple[int, Id]:
    return edit.hlc, edit.id


def undone(undos: Iterable[Edit]) -> set[Id]:
    """What these undos take back: edits, and undos that were taken back in turn. An undo is about the same target as
    what it takes back, so those of one target suffice."""
    out: set[Id] = set()
    for undo in sorted(undos, key=_by_clock, reverse=True):
        if undo.id not in out:
            out.update(undo.seen)
    return out


def holding(edits: Sequence[Edit]) -> set[Id]:
    """The records that are present because somebody edited them, import or not. A deletion holds nothing, nor does an
    edit that was undone."""
    taken_back = undone(edit for edit in edits if edit.undo)
    return {e.target for e in edits if e.field != "deleted" and not e.undo and e.id not in taken_back}


def deletions(edits: Iterable[Edit], history: History) -> list[Edit]:
    """Of all edits of `deleted`, the deletions in force: not undone, and seen by no restore that was not undone."""
    found = list(edits)
    taken_back = undone(edit for edit in found if edit.undo)
    kept = [edit for edit in found if not edit.undo and not edit.erased and edit.id not in taken_back]
    restored = history.before(id_ for edit in kept if not edit.value for id_ in edit.seen)
    return [edit for edit in kept if edit.value and edit.id not in restored]


def heads(edits: Sequence[Edit], history: History) -> dict[str, list[Edit]]:
    """Field → the edits in force that were not erased, by (HLC, id)."""
    out: dict[str, list[Edit]] = {}
    for edit in in_force(edits, history):
        if not edit.erased:
            out.setdefault(edit.field, []).append(edit)
    return out


def anything_said(heads: Mapping[str, Sequence[Edit]]) -> bool:
    """Whether people say anything of a passage that one could see."""
    return any(edit.value for field, edits in heads.items() if field not in LINKS for edit in edits)


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
    known = history.before(id_ for deletion in deletions for id_ in deletion.knew)
    taken_back = undone(edit for edit in edits if edit.undo)
    if any(
        e.field != "deleted" and not e.erased and e.id not in known and e.id not in taken_back
        # Who takes back what the deleter never knew of changes nothing for him.
        and (not e.undo or not known.isdisjoint(e.seen))
        for e in edits
    ):  # fmt: skip
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
