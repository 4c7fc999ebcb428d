"""Which of the titles that sources use are one book: a fold over atoms and the reader's joins and partings."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kindlehl.domain.facts import Edit, Id, Record
from kindlehl.domain.fields import newest
from kindlehl.domain.text import author_key, title_key


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """A book as sources name it: one raw title, and what the best parser made of it.

    Ordered by what wins when two readings of one raw title differ: the higher revision, then any fixed order.
    """

    revision: int
    title: str
    author: str
    """Empty when there is none."""
    raw_title: str


FORGOTTEN = Atom(-1, "", "", "")
"""What an erased record says of its book."""


def reading(record: Record) -> Atom:
    """What a record says of its book."""
    if record.erased:
        return FORGOTTEN
    return Atom(record.revision, record.title, record.author or "", record.raw_title)


def match_key(title: str, author: str | None) -> tuple[str, str]:
    """Two atoms with equal keys are one book unless the reader said otherwise. Title and author both count: two books
    with one short title never collide."""
    return title_key(title), author_key(author)


class _Parts:
    """Disjoint sets of atoms with pairs that must stay apart."""

    def __init__(self, atoms: Iterable[Id]) -> None:
        self.root = {atom: atom for atom in atoms}
        self.members = {atom: [atom] for atom in self.root}
        self.apart: dict[Id, set[Id]] = defaultdict(set)

    def find(self, atom: Id) -> Id:
        while self.root[atom] != atom:
            atom = self.root[atom]
        return atom

    def join(self, one: Id, other: Id) -> None:
        """Make one set of two, unless a parting forbids it."""
        a, b = sorted((self.find(one), self.find(other)))
        if a == b or any(x in self.apart and not self.apart[x].isdisjoint(self.members[b]) for x in self.members[a]):
            return
        self.root[b] = a
        self.members[a] += self.members.pop(b)

    def part(self, one: Id, other: Id) -> None:
        """Keep two atoms apart from now on, unless they are joined already."""
        if self.find(one) != self.find(other):
            self.apart[one].add(other)
            self.apart[other].add(one)


def group(atoms: Mapping[Id, Atom], edits: Iterable[Edit] = ()) -> dict[Id, Id]:
    """Atom → book. A book's id is the least of its atoms' ids.

    The reader's `same` and `not-same` edits that are in force come first, newest (HLC, id) first, each kept unless it
    contradicts those kept; then the matcher joins atoms with equal keys.
    """
    parts = _Parts(sorted(atoms))
    for edit in sorted(edits, key=lambda e: (e.hlc, e.id), reverse=True):
        other = edit.value
        if edit.erased or edit.target not in atoms or not isinstance(other, str) or other not in atoms:
            continue
        if edit.field == "same":
            parts.join(edit.target, other)
        elif edit.field == "not-same":
            parts.part(edit.target, other)
    alike: dict[tuple[str, str], list[Id]] = defaultdict(list)
    for id_ in sorted(atoms):
        key = match_key(atoms[id_].title, atoms[id_].author)
        if key[0]:  # two of which nobody knows the title any more, since it was erased, are not alike
            alike[key].append(id_)
    # With nothing parted the first of a group stands for all before it; else each of them may be in another set.
    pairs = ((one, other) for ids in alike.values() for other in ids for one in (ids if parts.apart else ids[:1]))
    for one, other in sorted(pair for pair in pairs if pair[0] < pair[1]):
        parts.join(one, other)
    return {atom: parts.find(atom) for atom in atoms}


def shown_title(atoms: Iterable[Atom]) -> tuple[str, str | None]:
    """Title and author of a book nobody renamed: of the best-read atom, one with an author first."""
    best = max(atoms, key=lambda a: (a.revision, bool(a.author), a))
    return best.title, best.author or None


UNTITLED = "Untitled"
"""What a book is called of which no source states a title, or whose title is erased."""


def named(source: tuple[str, str | None], heads: Mapping[str, Sequence[Edit]]) -> tuple[str, str | None]:
    """Title and author of a book, from what its sources call it and what the reader calls it. A title cannot be
    cleared; an author can."""
    title = newest(heads.get("title", ())) or source[0] or UNTITLED
    author = newest(heads["author"]) if "author" in heads else source[1]
    return str(title), None if author is None else str(author)
