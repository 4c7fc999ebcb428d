"""What became of the edits of a passage: heads, conflicts, the five policies, and deletion."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from kindlehl.domain.facts import Edit, Id, Record, Value

VISIBILITY = ("private", "friends", "everyone", "public")
"""The most private first; of several heads the most private counts."""


class History(Protocol):
    """What all the facts of a library know of who had seen what."""

    def before(self, ids: Iterable[Id]) -> Collection[Id]:
        """The facts named, and all that those had seen, and so on."""
        ...


def heads(edits: Iterable[Edit], history: History) -> dict[str, list[Edit]]:
    """Field → the edits that no other edit of the same passage has replaced, by (HLC, id).

    An edit replaces what it had seen; through facts of other passages too, so that a split loses no knowledge.
    """
    live = [edit for edit in edits if not edit.erased]
    if not live:
        return {}
    replaced = history.before(id_ for edit in edits for id_ in edit.seen)
    out: dict[str, list[Edit]] = {}
    for edit in sorted(live, key=lambda e: (e.hlc, e.id)):
        if edit.id not in replaced:
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
