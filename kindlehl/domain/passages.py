"""Which records are one passage, which of them is shown, and which note sits where."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from kindlehl.domain import erasure
from kindlehl.domain.facts import Id, Kind, Record, text_hash
from kindlehl.domain.text import matching

SHOWN: frozenset[Kind] = frozenset(("highlight", "note", "bookmark", "clip"))
"""The kinds of records that a reader sees."""

LOCATION, PAGE, NOWHERE = 0, 1, 2
"""The lanes of a book: Kindle locations; pages, where a source gives no location; no position at all."""

_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_FRONT_MATTER = -1_000_000
_A_PASSAGE = 12
"""Characters from which on a text that stands in another of the same page is taken for a form of it. In a real file
with 516 highlights on pages alone all 22 such pairs were made within six minutes, 16 of them within half a minute."""
_GREATEST = (1 << 62) - 1  # what every SQL integer holds

Item = TypeVar("Item", bound=Hashable)


class Place(NamedTuple):
    """Where a record is: comparable within one lane of one book, sorts in reading order."""

    lane: int
    start: int
    stop: int


def page_number(label: str) -> int | None:
    """The order of one page label: "12" → 12; "xvi" → far before page 1, in its own order; None for any other label."""
    folded = label.strip().casefold()
    if folded.isascii() and folded.isdigit():
        return min(int(folded[:19]), _GREATEST)
    if not folded or any(letter not in _ROMAN for letter in folded) or len(folded) > 15:
        return None
    values = [_ROMAN[letter] for letter in folded]
    return _FRONT_MATTER + sum(
        -value if value < max(values[n + 1 :], default=0) else value for n, value in enumerate(values)
    )


@lru_cache(maxsize=4096)
def _pages(label: str) -> tuple[int, int] | None:
    first, _, last = label.partition("-")
    start = page_number(first)
    stop = page_number(last) if last else start
    return None if start is None or stop is None else (min(start, stop), max(start, stop))


def place(record: Record) -> Place:
    """Where a record is. Without a position its place is `NOWHERE`, which no other record shares."""
    start, stop = record.location_start, record.location_end
    if start is not None:
        if stop is None or not 0 <= start <= stop <= _GREATEST:
            start = min(start, _GREATEST)
            stop = max(start, min(stop or start, _GREATEST))
        return Place(LOCATION, start, stop)
    if record.page is not None:
        pages = _pages(record.page)
        if pages is not None:
            return Place(PAGE, *pages)
    return Place(NOWHERE, 0, 0)


def islands(located: Iterable[tuple[int, int, int, Item]]) -> Iterator[list[Item]]:
    """Runs of overlapping positions of one book, from (lane, start, stop, item) in reading order. Nothing in one island
    can ever be related to anything in another."""
    run: list[Item] = []
    of, end = NOWHERE, 0
    for lane, start, stop, item in located:
        if run and start <= end and lane == of != NOWHERE:
            run.append(item)
            if stop > end:
                end = stop
        else:
            if run:
                yield run
            run = [item]
            of, end = lane, stop
    if run:
        yield run


def joined(runs: Iterable[list[Item]], pairs: Iterable[tuple[Item, Item]]) -> Iterator[list[Item]]:
    """Islands, those that hold the two of a pair made one: what the reader joined is folded together. Lazy where there
    are no pairs, which is nearly always."""
    linked = list(pairs)
    if not linked:
        yield from runs
        return
    held = [list(run) for run in runs]
    of = {item: held[n] for n, run in enumerate(held) for item in run}
    for one, other in linked:
        if one in of and other in of and of[one] is not of[other]:
            moved = of[other]
            of[one].extend(moved)
            of.update(dict.fromkeys(moved, of[one]))
            moved.clear()
    yield from filter(None, held)


def later(record: Record) -> tuple[bool, bool, str, int, Id]:
    """Orders the forms of one passage by the source's own clock, never by arrival. A text that the publisher's limit
    cut never replaces a whole one; an unknown time replaces no known one."""
    length = record.length if record.erased else len(record.text)
    return not record.truncated, record.at is not None, record.at or "", length, record.id


class _Form:
    """Records with one place and one matching text, as the latest of them."""

    __slots__ = ("latest", "place", "text")

    def __init__(self, at: Place, record: Record, text: str | None) -> None:
        self.place, self.latest, self.text = at, record, text

    def related(self, other: "_Form") -> bool:
        """Whether these are two forms of one passage, given that their places overlap.

        One text contains the other. A page alone is a wide place, where a word or two occur again by chance: there the
        shorter text has to be long enough to be a passage. Of an erased text its hash and its sketch are left.
        """
        if self.text is None or other.text is None:
            return self._hash() == other._hash() or erasure.overlapping(self._sketch(), other._sketch())
        if self.place.lane == PAGE and min(len(self.text), len(other.text)) < _A_PASSAGE:
            return self.text == other.text
        return self.text in other.text or other.text in self.text

    def _hash(self) -> str | None:
        return self.latest.text_hash if self.text is None else text_hash(self.text)

    def _sketch(self) -> str:
        return self.latest.sketch or "" if self.text is None else erasure.sketch(self.text)


def forms(records: Sequence[Record], apart: Mapping[Id, Collection[Id]] | None = None) -> dict[Id, Id]:
    """Record → the record shown in its place, for the highlights, bookmarks and clips of one island.

    The heir of a record is the related later record of greatest overlap, then the latest; heirs are followed to the
    end. That is not transitive: one large form followed by two disjoint parts of it leaves both parts. Bookmarks and
    clips are one only where they are equal. `apart` keeps a record from others, as the reader asked.
    """
    if len(records) == 1:
        return {records[0].id: records[0].id}
    apart = apart or {}
    groups: dict[tuple[str, Place, str | None, str | None, Id | None], list[Record]] = defaultdict(list)
    for record in records:
        at = place(record)
        text = None if record.erased else matching(record.text)
        alone = record.id if at.lane == NOWHERE or record.id in apart else None
        groups[record.kind, at, text, record.text_hash, alone].append(record)
    heir: dict[Id, Id] = {}
    ranges: list[_Form] = []
    for (kind, at, text, _, _), same in groups.items():
        # Equal texts at one place are collapsed first: ten thousand copies of one record cost no more than one. This
        # changes nothing, since whatever inherits from the others inherits from the latest of them too.
        latest = max(same, key=later)
        heir.update((record.id, latest.id) for record in same if record is not latest)
        if kind == "highlight" and (text or latest.erased):
            ranges.append(_Form(at, latest, text))
    _sweep(ranges, apart, heir)
    shown: dict[Id, Id] = {}
    for record in sorted(records, key=later, reverse=True):
        to = heir.get(record.id)
        shown[record.id] = record.id if to is None else shown[to]
    return shown


def _sweep(ranges: list[_Form], apart: Mapping[Id, Collection[Id]], heir: dict[Id, Id]) -> None:
    """Find each form's heir among those whose place overlaps its own."""
    ranges.sort(key=lambda form: (form.place, form.latest.id))
    best: dict[Id, tuple[int, tuple[bool, bool, str, int, Id]]] = {}
    active: list[_Form] = []
    for form in ranges:
        active = [o for o in active if o.place.stop >= form.place.start and o.place.lane == form.place.lane != NOWHERE]
        for other in active:
            if not form.related(other) or _apart(form.latest.id, other.latest.id, apart):
                continue
            old, new = sorted((form.latest, other.latest), key=later)
            overlap = min(form.place.stop, other.place.stop) - max(form.place.start, other.place.start)
            claim = (overlap, later(new))
            if old.id not in best or claim > best[old.id]:
                best[old.id] = claim
                heir[old.id] = new.id
        active.append(form)


def _apart(one: Id, other: Id, apart: Mapping[Id, Collection[Id]]) -> bool:
    return other in apart.get(one, ()) or one in apart.get(other, ())


def attach(note: Record, highlights: Iterable[Record]) -> Record | None:
    """The highlight that a note sits on: one that covers its place, of the same time, then one that ends there, then
    the latest not after the note, then the next after it. None: a bare note."""
    at = place(note)
    if at.lane == NOWHERE:
        return None
    best, rank = None, None
    for highlight in highlights:
        covers = place(highlight)
        if covers.lane != at.lane or not covers.start <= at.start <= covers.stop:
            continue
        same = note.at is not None and highlight.at == note.at
        not_after = (highlight.at or "") <= (note.at or "")
        mine = (same, covers.stop == at.start, not_after)
        nearer = rank is None or mine > rank or (mine == rank and _nearer(highlight, best, not_after))
        if nearer:
            best, rank = highlight, mine
    return best


def _nearer(one: Record, best: Record | None, not_after: bool) -> bool:
    """Whether of two highlights on the same side of a note's time the first is nearer to it."""
    if best is None:
        return True
    mine, theirs = (one.at or "", one.id), (best.at or "", best.id)
    return mine > theirs if not_after else mine < theirs


def drafts(notes: Iterable[Record]) -> list[Record]:
    """The notes of one passage that are shown, in reading order.

    An edited note is another record at the same location, so notes at one location are revisions and the last is shown;
    different locations are all shown. A page alone holds many notes: there one is a draft of another only when it is
    contained in it.
    """
    at_one_place: dict[Place, list[Record]] = defaultdict(list)
    for note in sorted(notes, key=later):
        at = place(note)
        if at.lane == LOCATION:
            at_one_place[at] = [note]
        else:
            kept = [other for other in at_one_place[at] if at.lane == NOWHERE or not contains(note, other)]
            at_one_place[at] = [*kept, note]
    return [note for _, shown in sorted(at_one_place.items()) for note in shown]


def contains(whole: Record, part: Record) -> bool:
    """Whether one record's text holds all of another's. Of an erased text that can be told of its equals alone."""
    if whole.erased or part.erased:
        return _hash(whole) == _hash(part)
    return matching(part.text) in matching(whole.text)


def _hash(record: Record) -> str | None:
    return record.text_hash if record.erased else text_hash(matching(record.text))


def are_forms(one: Record, other: Record) -> bool:
    """Whether two records of one kind overlap in place and text: forms of one passage."""
    a, b = place(one), place(other)
    overlap = a.lane == b.lane != NOWHERE and a.start <= b.stop and b.start <= a.stop
    if one.id == other.id or not overlap:
        return one.id == other.id
    forms_ = [_Form(at, r, None if r.erased else matching(r.text)) for at, r in ((a, one), (b, other))]
    return forms_[0].related(forms_[1])
