"""A library in memory: the reference that every other store has to equal. It folds everything from scratch, always."""

import copy
from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from kindlehl import wire
from kindlehl.domain import books, fields, fold, passages, withholding
from kindlehl.domain.books import Atom
from kindlehl.domain.effects import Effects
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record
from kindlehl.domain.fold import Island, Passage
from kindlehl.domain.library import SHOWN_KINDS, Book, Highlight
from kindlehl.domain.tokens import tokens
from kindlehl.ports import Edited, Feed, Filter, Operation, Order, Progress, Query, Rotten, Standing
from kindlehl.store.matching import found, matches
from kindlehl.store.paging import page


class MemoryLibrary:
    """The `Library` port, plainly: a dictionary of facts. All its roles are this one object."""

    def __init__(self) -> None:
        self._facts: dict[Id, str] = {}
        self._memo: dict[str, str] = {}
        self._operations: list[Operation] = []
        self._numbers: dict[Id, int] = {}
        self._head = 0
        self._epoch = "0"
        self._peers: dict[str, Progress] = {}
        self._refused: dict[str, dict[Id, int]] = {}

    @property
    def facts(self) -> "MemoryLibrary":
        """Itself."""
        return self

    shelf = index = memo = journal = peers = facts

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Everything inside happens, or nothing does."""
        before = {name: copy.copy(held) for name, held in self.__dict__.items()}
        try:
            yield
        except BaseException:
            self.__dict__.update(before)
            raise

    snapshot = transaction

    def scrub(self) -> None:
        """Nothing is left behind."""

    def close(self) -> None:
        """Nothing to let go of."""

    # -- facts ----------------------------------------------------------------------------------------------------

    def add(self, facts: Iterable[Fact]) -> int:
        """Keep the maximum of what is here and what comes, for each id."""
        return self.add_raw(map(wire.encode, facts))

    def add_raw(self, bodies: Iterable[str]) -> int:
        """The same for bodies as they travel."""
        advanced = 0
        for body in bodies:
            id_ = wire.header(body).id
            held = self._facts.get(id_)
            if held is None or wire.rank(body) > wire.rank(held):
                self._facts.pop(id_, None)  # a state that advances arrives anew
                self._facts[id_] = body
                self._head += 1
                self._numbers[id_] = self._head
                advanced += 1
                fact = wire.decode(body)
                if (isinstance(fact, Record) and fact.erased) or (isinstance(fact, Edit) and fact.field == "withdrawn"):
                    self._memo.clear()
        return advanced

    def bodies(self) -> Iterator[str]:
        """Every fact as it travels, in order of arrival."""
        return iter(self._facts.values())

    def head(self) -> int:
        """The number of the fact that arrived last."""
        return self._head

    def _open(self, withheld: int) -> Mapping[Id, str]:
        """The facts that are not withheld."""
        return {
            id_: body for id_, body in self._facts.items() if not withholding.falls_under(wire.decode(body)) & withheld
        }

    def since(self, cursor: int, count: int, size: int, withheld: int = 0, until: int | None = None) -> Feed:
        """What has arrived behind a cursor."""
        stop = self._head if until is None else until
        numbered = ((self._numbers[id_], body) for id_, body in self._open(withheld).items())
        return page([row for row in numbered if cursor < row[0] <= stop], cursor, count, size, stop)

    def digests(self, digits: int, withheld: int = 0) -> Mapping[str, int]:
        """The digest of each bucket that does not come to nothing."""
        out: dict[str, int] = defaultdict(int)
        for id_, body in self._open(withheld).items():
            out[id_[-digits:]] ^= wire.digest(body)
        return {bucket: digest for bucket, digest in out.items() if digest}

    def states(self, buckets: Sequence[str], withheld: int = 0) -> Mapping[Id, int]:
        """The facts of some buckets, and their digests."""
        return {id_: wire.digest(body) for id_, body in self._open(withheld).items() if id_.endswith(tuple(buckets))}

    def named(self, ids: Sequence[Id], withheld: int = 0) -> Iterator[str]:
        """The bodies of these facts."""
        return (body for id_, body in sorted(self._open(withheld).items()) if id_ in ids)

    def set_aside_rotten(self) -> Rotten:
        """Nothing rots in memory."""
        return Rotten(0, 0)

    rotten = set_aside_rotten

    def damaged(self, withheld: int = 0) -> Sequence[str]:  # noqa: ARG002 -- the port's
        """There is nothing of the kind."""
        return ()

    def drop(self, withheld: int) -> int:
        """Forget the facts of these classes."""
        before = len(self._facts)
        self._facts = dict(self._open(withheld))
        return before - len(self._facts)

    def _all(self) -> Iterator[Fact]:
        return (fact for body in self._facts.values() if (fact := wire.decode(body)) is not None)

    def _every_edit(self) -> list[Edit]:
        return [fact for fact in self._all() if isinstance(fact, Edit)]

    def standing(self, ids: Sequence[Id], source: str) -> Mapping[Id, Standing]:
        """How these records stand."""
        live: dict[Id, set[str]] = defaultdict(set)
        for import_ in self._live_imports():
            for id_ in import_.records:
                live[id_].add(import_.source)
        held = self.records(ids)
        return {
            id_: Standing(bool(live[id_]), source in live[id_], r.erased, r.revision, r.certainty)
            for id_, r in held.items()
        }

    def _live_imports(self) -> list[Import]:
        withdrawn = [edit for edit in self._every_edit() if edit.field == "withdrawn"]
        imports = [fact for fact in self._all() if isinstance(fact, Import)]
        return [
            i
            for i in imports
            if not fields.any_true(fields.heads([e for e in withdrawn if e.target == i.id], self).get("withdrawn", ()))
        ]

    def records(self, ids: Sequence[Id]) -> Mapping[Id, Record]:
        """Records by id, those that are held."""
        found = ((id_, wire.decode(self._facts[id_])) for id_ in ids if id_ in self._facts)
        return {id_: fact for id_, fact in found if isinstance(fact, Record)}

    def edited(self, targets: Sequence[Id]) -> Mapping[Id, Edited]:
        """The edits of each of these."""
        out: dict[Id, Edited] = {}
        for edit in self._every_edit():
            if edit.target in targets:
                edits, names, size = out.get(edit.target, Edited(0, 0, 0))
                names += len({*edit.seen}) + len({*edit.covers})
                out[edit.target] = Edited(edits + 1, names, size + len(self._facts[edit.id].encode()))
        return out

    def edits(self, targets: Sequence[Id]) -> Sequence[Edit]:
        """Every edit of these targets."""
        return [edit for edit in self._every_edit() if edit.target in set(targets)]

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        out: set[Id] = set()
        todo = list(ids)
        while todo:
            id_ = todo.pop()
            if id_ not in out:
                out.add(id_)
                fact = wire.decode(self._facts[id_]) if id_ in self._facts else None
                todo += fact.seen if isinstance(fact, Edit) else ()
        return out

    def of(self, op: Id) -> Sequence[Edit | Import]:
        """The edits and imports of one operation."""
        return [fact for fact in self._all() if isinstance(fact, Edit | Import) and fact.op == op]

    def replacing(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The edits that have seen any of these."""
        return [edit for edit in self._every_edit() if not set(ids).isdisjoint(edit.seen)]

    def deletions(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The deletions in force that cover any of these records."""
        return [d for d in self._deletions() if not set(ids).isdisjoint(d.covers)]

    def _deletions(self) -> list[Edit]:
        return fields.deletions([edit for edit in self._every_edit() if edit.field == "deleted"], self)

    def greatest_stamp(self) -> int:
        """The greatest clock of all edits."""
        return max((edit.hlc for edit in self._every_edit()), default=0)

    def reached(self, until: str) -> Mapping[str, str]:
        """Source → the latest time of a record that it listed, of those before `until`."""
        out: dict[str, str] = {}
        for fact in self._all():
            if isinstance(fact, Import):
                times = [r.at for r in self.records(fact.records).values() if r.at is not None and r.at < until]
                if times:
                    out[fact.source] = max(*times, out.get(fact.source, ""))
        return out

    # -- the fold, from scratch -----------------------------------------------------------------------------------

    def settle(self) -> Effects:
        """The reference counts nothing."""
        return Effects()

    def rebuild(self) -> None:
        """It is never anything else than rebuilt."""

    def _present(self) -> list[Record]:
        """The records that a live import lists or an edit holds, of the kinds a reader sees."""
        held = fields.holding(self._every_edit())
        listed = {id_ for import_ in self._live_imports() for id_ in import_.records}
        return [r for r in self.records(sorted(held | listed)).values() if r.kind in passages.SHOWN]

    def _grouped(self) -> tuple[dict[Id, Id], dict[Id, Atom]]:
        """Atom → book, and the best reading of each atom, as its present records tell it."""
        atoms: dict[Id, Atom] = {}
        for record in self._present():
            atom = books.reading(record)
            atoms[record.atom] = max(atom, atoms.get(record.atom, atom))
        edits = [edit for edit in self._every_edit() if edit.target in atoms]
        return books.group(atoms, fields.in_force(edits, self)), atoms

    def _heads(self, groups: Mapping[Id, Id]) -> dict[Id, dict[str, list[Edit]]]:
        """Book → what people said of it."""
        by_book: dict[Id, list[Edit]] = {book: [] for book in groups.values()}
        for edit in self._every_edit():
            if edit.target in groups:
                by_book[groups[edit.target]].append(edit)
        return {book: fields.heads(edits, self) for book, edits in by_book.items()}

    def _titles(self, groups: Mapping[Id, Id], atoms: Mapping[Id, Atom]) -> dict[Id, tuple[str, str | None]]:
        members: dict[Id, list[Id]] = defaultdict(list)
        for atom, book in groups.items():
            members[book].append(atom)
        heads = self._heads(groups)
        return {
            book: books.named(books.shown_title(atoms[id_] for id_ in ids), heads[book])
            for book, ids in members.items()
        }

    def _hidden_books(self, groups: Mapping[Id, Id]) -> set[Id]:
        return {book for book, heads in self._heads(groups).items() if fields.newest(heads.get("hidden", ()))}

    def _sources(self) -> dict[Id, set[str]]:
        """Record → the sources it was seen in; those of withdrawn imports where it has no others."""
        live = {import_.id for import_ in self._live_imports()}
        seen: dict[bool, dict[Id, set[str]]] = {True: defaultdict(set), False: defaultdict(set)}
        for fact in self._all():
            if isinstance(fact, Import):
                for id_ in fact.records:
                    seen[fact.id in live][id_].add(fact.source)
        return {**seen[False], **seen[True]}

    def _passages(self) -> list[tuple[Id, Passage]]:
        """Every passage with its book."""
        groups, _ = self._grouped()
        edits, deletions, sources = self._every_edit(), self._deletions(), self._sources()
        by_book: dict[Id, list[Record]] = defaultdict(list)
        for record in self._present():
            by_book[groups[record.atom]].append(record)
        out: list[tuple[Id, Passage]] = []
        for book, held in by_book.items():
            records = {record.id: record for record in sorted(held, key=lambda r: (passages.place(r), r.id))}
            located = ((at.lane, at.start, at.stop, r.id) for r in records.values() for at in [passages.place(r)])
            links = [(e.target, e.value) for e in edits if e.field == "same" and isinstance(e.value, str)]
            for ids in passages.joined(passages.islands(located), links):
                island = Island(
                    [records[id_] for id_ in ids],
                    sources,
                    [e for e in edits if e.target in ids],
                    [d for d in deletions if not set(ids).isdisjoint(d.covers)],
                )
                out += [(book, passage) for passage in fold.fold(island, self)]
        return out

    # -- what is shown --------------------------------------------------------------------------------------------

    def _folded(self) -> list[tuple[Passage, Highlight]]:
        groups, atoms = self._grouped()
        titles = self._titles(groups, atoms)
        return [(p, _highlight(p, book, *titles[book])) for book, p in self._passages()]

    def _meant(self, wanted: Filter) -> list[tuple[Passage, Highlight]]:
        hidden = self._hidden_books(self._grouped()[0])
        return [
            (p, h)
            for p, h in self._folded()
            if (_deleted(p) if wanted.deleted else not p.hidden and (wanted.hidden_books or h.book not in hidden))
            and matches(h, p.members, wanted)
        ]

    def books(self, ids: Collection[Id] | None = None, *, hidden: bool = False) -> Sequence[Book]:
        """The books, or these of them, by title; those that the reader hides only if asked for."""
        groups, atoms = self._grouped()
        titles, not_wanted = self._titles(groups, atoms), self._hidden_books(groups)
        by_book: dict[Id, list[Highlight]] = defaultdict(list)
        for passage, highlight in self._folded():
            if not passage.hidden:
                by_book[highlight.book].append(highlight)
        out: list[Book] = []
        for book, held in by_book.items():
            if (book in not_wanted and not hidden) or (ids is not None and book not in ids):
                continue
            kinds = [h.kind for h in held]
            times = sorted(h.added_at for h in held if h.added_at and h.kind in ("highlight", "note"))
            raw = tuple(sorted(atoms[atom].raw_title for atom, of in groups.items() if of == book))
            counts = kinds.count("highlight"), sum(h.note is not None for h in held), kinds.count("bookmark")
            first, last = (times[0], times[-1]) if times else (None, None)
            title, author = titles[book]
            clips = kinds.count("clip")
            out.append(Book(book, title, author, raw, *counts, clips, first, last, book in not_wanted))
        return sorted(out, key=lambda b: (b.title.casefold(), b.id))

    def atoms(self, book: Id) -> Sequence[Id]:
        """The titles that sources use for this book, as atoms."""
        return sorted(atom for atom, of in self._grouped()[0].items() if of == book)

    def titles(self, *, hidden: bool = False) -> Sequence[tuple[Id, str, str | None]]:
        """Id, title and author of all books by title."""
        return [(book.id, book.title, book.author) for book in self.books(hidden=hidden)]

    def tags(self) -> Sequence[str]:
        """Every tag of a shown passage, once, in alphabetical order."""
        return sorted({tag for _, h in self._meant(Filter(kinds=SHOWN_KINDS)) for tag in h.tags})

    def highlights(self, wanted: Filter, *, order: Order = "book", limit: int | None = None) -> Iterator[Highlight]:
        """Passages in an order, at most so many."""
        meant = self._meant(wanted)
        meant.sort(key=lambda ph: (ph[1].title.casefold(), ph[1].book, ph[0].place, ph[0].at or "", ph[0].id))
        if order != "book":
            meant.sort(key=lambda ph: ph[1].id)
            meant.sort(key=lambda ph: ph[1].added_at or "", reverse=order == "newest")
            meant.sort(key=lambda ph: ph[1].added_at is None)
        return iter([h for _, h in meant][:limit])

    def ids(self, wanted: Filter) -> Sequence[Id]:
        """The ids of all that is meant, in their own order."""
        return sorted(h.id for _, h in self._meant(wanted))

    def get(self, id_: Id, *, deleted: bool = False) -> Highlight | None:
        """The shown passage of which this record is a member, or the one in the trash."""
        found = (h for p, h in self._folded() if id_ in p.members and (_deleted(p) if deleted else not p.hidden))
        return next(found, None)

    def members(self, id_: Id) -> Sequence[Id]:
        """The records of the passage, hidden or not, that holds this one."""
        holding = (sorted(p.members) for p, _ in self._folded() if id_ in p.members)
        return next(holding, list[Id]())

    def starting_with(self, prefix: str, limit: int, *, deleted: bool = False) -> Sequence[Id]:
        """Ids of shown passages, or of those in the trash, of which a member starts like this."""
        found = {
            p.id
            for p, _ in self._folded()
            if (_deleted(p) if deleted else not p.hidden) and any(member.startswith(prefix) for member in p.members)
        }
        return sorted(found)[:limit]

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        return len(self._meant(wanted))

    # -- journal, index and memo ----------------------------------------------------------------------------------

    def enter(self, operation: Operation) -> None:
        """Add one."""
        self._operations.append(operation)

    def operations(self) -> Sequence[Operation]:
        """All of them, oldest first."""
        return tuple(self._operations)

    def search(self, query: Query, wanted: Filter, limit: int | None) -> Sequence[Highlight]:
        """What is found, in no particular order: the reference does not rank."""
        return [h for h in self.highlights(wanted) if found(h, query)][:limit]

    glance = search

    def vocabulary(self, start: str = "") -> Sequence[tuple[str, int]]:
        """The words of the index that start like this, and how many passages hold each."""
        counted = Counter(
            word
            for h in self.highlights(Filter(hidden_books=True))
            for word in {*tokens(h.text), *tokens(h.note or "")}
            if word.startswith(start)
        )
        return sorted(counted.items())

    def recall(self, key: str) -> str | None:
        """What was remembered."""
        return self._memo.get(key)

    def remember(self, key: str, value: str) -> None:
        """Keep a value until an import is withdrawn or a record erased."""
        self._memo[key] = value

    # -- peers ----------------------------------------------------------------------------------------------------

    def epoch(self) -> str:
        """Names this library's numbers."""
        return self._epoch

    def renew(self, epoch: str | None = None) -> None:
        """The cursors of peers lose their meaning."""
        self._epoch = f"{int(self._epoch, 16) + 1:x}" if epoch is None else epoch

    def progress(self, peer: str) -> Progress:
        """With this one."""
        return self._peers.get(peer, Progress())

    def keep(self, peer: str, progress: Progress) -> None:
        """Remember it."""
        self._peers[peer] = progress

    def refused(self, peer: str) -> Mapping[Id, int]:
        """The facts that this peer did not take."""
        return self._refused.get(peer, {})

    def refuse(self, peer: str, facts: Iterable[tuple[Id, int, str]]) -> None:
        """Remember facts that it did not take."""
        self._refused[peer] = {**self.refused(peer), **{id_: digest for id_, digest, _ in facts}}

    def took(self, peer: str, ids: Sequence[Id]) -> None:
        """It has these after all."""
        self._refused[peer] = {id_: digest for id_, digest in self.refused(peer).items() if id_ not in ids}

    def forget(self, peer: str) -> None:
        """As though there never had been one."""
        self._peers.pop(peer, None)
        self._refused.pop(peer, None)


def _deleted(p: Passage) -> bool:
    """Whether a passage is in the trash."""
    return p.hidden and not p.erased


def _highlight(p: Passage, book: Id, title: str, author: str | None) -> Highlight:
    return Highlight(
        p.id, p.kind, book, title, author, p.text, p.note, p.color, p.tags, p.favorite, p.page, p.location_start,
        p.location_end, p.chapter, p.at, p.offset, p.truncated, p.source, p.conflicts,
    )  # fmt: skip
