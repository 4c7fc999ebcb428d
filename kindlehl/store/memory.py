"""A library in memory: the reference that every other store has to equal. It folds everything from scratch, always."""

import copy
import re
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from kindlehl import wire
from kindlehl.domain import books, fields, fold, passages
from kindlehl.domain.books import Atom
from kindlehl.domain.effects import Effects
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record
from kindlehl.domain.fold import Island, Passage
from kindlehl.domain.library import Book, Highlight
from kindlehl.domain.text import searchable
from kindlehl.ports import Filter, Query, Standing, Words


class MemoryLibrary:
    """The `Library` port, plainly: a dictionary of facts. All four roles are this one object."""

    def __init__(self) -> None:
        self._facts: dict[Id, str] = {}
        self._memo: dict[str, str] = {}

    @property
    def facts(self) -> "MemoryLibrary":
        """Itself."""
        return self

    shelf = index = memo = facts

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Everything inside happens, or nothing does."""
        before = copy.copy(self._facts), copy.copy(self._memo)
        try:
            yield
        except BaseException:
            self._facts, self._memo = before
            raise

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
                advanced += 1
                fact = wire.decode(body)
                if (isinstance(fact, Record) and fact.erased) or (isinstance(fact, Edit) and fact.field == "withdrawn"):
                    self._memo.clear()
        return advanced

    def bodies(self) -> Iterator[str]:
        """Every fact as it travels, in order of arrival."""
        return iter(self._facts.values())

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

    # -- the fold, from scratch -----------------------------------------------------------------------------------

    def settle(self) -> Effects:
        """The reference counts nothing."""
        return Effects()

    def rebuild(self) -> None:
        """It is never anything else than rebuilt."""

    def _grouped(self) -> tuple[dict[Id, Id], dict[Id, Atom]]:
        """Atom → book, and the best reading of each atom."""
        atoms: dict[Id, Atom] = {}
        for fact in self._all():
            if isinstance(fact, Record) and fact.kind in passages.SHOWN:
                atom = Atom(fact.revision, fact.title, fact.author or "", fact.raw_title)
                if fact.erased:
                    atom = Atom(-1, "", "", "")
                atoms[fact.atom] = max(atom, atoms.get(fact.atom, atom))
        return books.group(atoms, self._every_edit()), atoms

    def _titles(self, groups: Mapping[Id, Id], atoms: Mapping[Id, Atom]) -> dict[Id, tuple[str, str | None]]:
        members: dict[Id, list[Id]] = defaultdict(list)
        for atom, book in groups.items():
            members[book].append(atom)
        out: dict[Id, tuple[str, str | None]] = {}
        for book, ids in members.items():
            heads = fields.heads([e for e in self._every_edit() if e.target in ids], self)
            title, author = books.shown_title(atoms[id_] for id_ in ids)
            if "author" in heads:
                value = fields.newest(heads["author"])
                author = None if value is None else str(value)
            out[book] = str(fields.newest(heads.get("title", ())) or title), author
        return out

    def _passages(self) -> list[tuple[Id, Passage]]:
        """Every passage with its book."""
        groups, _ = self._grouped()
        edits = self._every_edit()
        sources: dict[Id, set[str]] = defaultdict(set)
        for fact in self._all():
            if isinstance(fact, Import):
                for id_ in fact.records:
                    sources[id_].add(fact.source)
        present = {id_ for import_ in self._live_imports() for id_ in import_.records} | {e.target for e in edits}
        undone = self.before(
            id_ for e in edits if e.field == "deleted" and not e.value and not e.erased for id_ in e.seen
        )
        deletions = [e for e in edits if e.covers and e.value and e.id not in undone]
        by_book: dict[Id, list[Record]] = defaultdict(list)
        for record in self.records(sorted(present)).values():
            if record.kind in passages.SHOWN:
                by_book[groups[record.atom]].append(record)
        out: list[tuple[Id, Passage]] = []
        for book, records in by_book.items():
            records.sort(key=lambda r: (passages.place(r), r.id))
            located = ((at.lane, at.start, at.stop, r) for r in records for at in [passages.place(r)])
            for run in passages.islands(located):
                ids = {record.id for record in run}
                island = Island(
                    run,
                    sources,
                    [e for e in edits if e.target in ids],
                    [d for d in deletions if not ids.isdisjoint(d.covers)],
                )
                out += [(book, passage) for passage in fold.fold(island, self)]
        return out

    # -- what is shown --------------------------------------------------------------------------------------------

    def _shown(self, *, hidden: bool = False) -> list[tuple[Passage, Highlight]]:
        groups, atoms = self._grouped()
        titles = self._titles(groups, atoms)
        return [(p, _highlight(p, book, *titles[book])) for book, p in self._passages() if hidden or not p.hidden]

    def books(self) -> Sequence[Book]:
        """All books by title."""
        groups, atoms = self._grouped()
        titles = self._titles(groups, atoms)
        by_book: dict[Id, list[Highlight]] = defaultdict(list)
        for _, highlight in self._shown():
            by_book[highlight.book].append(highlight)
        out: list[Book] = []
        for book, held in by_book.items():
            kinds = [h.kind for h in held]
            times = sorted(h.added_at for h in held if h.added_at and h.kind in ("highlight", "note"))
            raw = tuple(sorted(atoms[atom].raw_title for atom, of in groups.items() if of == book))
            counts = kinds.count("highlight"), sum(h.note is not None for h in held), kinds.count("bookmark")
            span = (times[0], times[-1]) if times else (None, None)
            out.append(Book(book, *titles[book], raw, *counts, kinds.count("clip"), *span))
        return sorted(out, key=lambda b: (b.title.casefold(), b.id))

    def titles(self) -> Sequence[tuple[str, str | None, Id]]:
        """Title, author and id of each book by title."""
        return [(book.title, book.author, book.id) for book in self.books()]

    def tags(self) -> Sequence[str]:
        """Every tag that a shown passage has, in order."""
        return sorted({tag for _, h in self._shown() for tag in h.tags})

    def highlights(self, wanted: Filter, *, newest: bool = False, limit: int | None = None) -> Iterator[Highlight]:
        """Passages by book and in reading order, or newest first."""
        found = [(p, h) for p, h in self._shown() if _matches(h, wanted)]
        found.sort(key=lambda ph: (ph[1].title.casefold(), ph[1].book, ph[0].place, ph[0].at or "", ph[0].id))
        if newest:
            found.sort(key=lambda ph: ph[1].id)
            found.sort(key=lambda ph: ph[1].added_at or "", reverse=True)
        return iter([h for _, h in found][:limit])

    def get(self, id_: Id) -> Highlight | None:
        """The shown passage of which this record is a member."""
        return next((h for p, h in self._shown() if id_ in p.members), None)

    def members(self, id_: Id) -> Sequence[Id]:
        """The records of the passage, hidden or not, that holds this one."""
        holding = (sorted(p.members) for p, _ in self._shown(hidden=True) if id_ in p.members)
        return next(holding, list[Id]())

    def starting_with(self, prefix: str, limit: int) -> Sequence[Id]:
        """Ids of shown passages of which a member starts like this."""
        found = {p.id for p, _ in self._shown() if any(member.startswith(prefix) for member in p.members)}
        return sorted(found)[:limit]

    def count(self, wanted: Filter) -> int:
        """How many passages are meant."""
        return sum(_matches(h, wanted) for _, h in self._shown())

    # -- index and memo -------------------------------------------------------------------------------------------

    def search(self, query: Query, wanted: Filter, limit: int) -> Sequence[Highlight]:
        """What is found, in no particular order: the reference does not rank."""
        found = [
            h
            for h in self.highlights(wanted)
            if h.kind in ("highlight", "note")
            and all(any(_found(text, words) for text in (h.text, h.note or "")) for words in query.wanted)
            and not any(_found(text, words) for words in query.unwanted for text in (h.text, h.note or ""))
        ]
        return found[:limit]

    def recall(self, key: str) -> str | None:
        """What was remembered."""
        return self._memo.get(key)

    def remember(self, key: str, value: str) -> None:
        """Keep a value until an import is withdrawn or a record erased."""
        self._memo[key] = value


def _highlight(p: Passage, book: Id, title: str, author: str | None) -> Highlight:
    return Highlight(
        p.id, p.kind, book, title, author, p.text, p.note, p.color, p.tags, p.favorite, p.page, p.location_start,
        p.location_end, p.chapter, p.at, p.offset, p.truncated, p.source, p.conflicts,
    )  # fmt: skip


def _matches(h: Highlight, wanted: Filter) -> bool:
    return (
        h.kind in wanted.kinds
        and (wanted.books is None or h.book in wanted.books)
        and (wanted.color is None or h.color == wanted.color)
        and (wanted.tag is None or wanted.tag in h.tags)
        and (wanted.since is None or (h.added_at is not None and h.added_at >= wanted.since))
        and (
            wanted.until is None
            or (h.added_at is not None and h.added_at < (wanted.until if "T" in wanted.until else f"{wanted.until}T~"))
        )
        and (wanted.has_note is None or (h.note is not None) == wanted.has_note)
    )


_TOKEN = re.compile("[\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7ff]|[^\\W_]+")


def _found(text: str, words: Words) -> bool:
    """Whether words stand in a text, one after the other."""
    tokens, parts = _TOKEN.findall(searchable(text)), _TOKEN.findall(searchable(words.text))
    for start in range(len(tokens) - len(parts) + 1):
        run = tokens[start : start + len(parts)]
        if run[:-1] == parts[:-1] and (run[-1].startswith(parts[-1]) if words.prefix else run[-1] == parts[-1]):
            return bool(parts)
    return False
