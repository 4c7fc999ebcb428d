"""Full-text search over what is shown, in PostgreSQL. Nobody's search reads more than the words of one library."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, distinct, func, select

from kindlehl.domain.facts import Id
from kindlehl.domain.library import Highlight
from kindlehl.ports import Filter, Query, Words
from kindlehl_server.store.postgresql import tables
from kindlehl_server.store.postgresql.conditions import BEHIND, meant, rows
from kindlehl_server.store.postgresql.phrases import counted, found, parts
from kindlehl_server.store.postgresql.session import Session
from kindlehl_server.store.postgresql.shelf import TableShelf

RANKED = 2_000
"""Up to so many passages are ranked for who types and waits: among more the order says little."""
_SATURATED, _BY_LENGTH = 1.2, 0.75
"""BM25's own two numbers: how soon a word that recurs says no more, and how much less it says in a long text."""

_S, _H = tables.search.c, tables.highlights.c


class _Weighed(NamedTuple):
    """What is asked for, how much each of it says, and how long a text is on the average."""

    words: Sequence[tuple[Words, float]]
    length: float

    def of(self, text: str, note: str) -> float:
        """How well a passage answers: BM25."""
        held = {"text": text, "note": note}
        longer = len(text + note) / self.length
        total = 0.0
        for words, weight in self.words:
            often = sum(counted(kept, words) for part, kept in held.items() if words.part in (None, part))
            slowed = _SATURATED * (1 - _BY_LENGTH + _BY_LENGTH * longer)
            total += weight * often * (_SATURATED + 1) / (often + slowed)
        return total


class TableIndex:
    """The `Index` port: highlights and bare notes by the words of text and note."""

    def __init__(self, session: Session, shelf: TableShelf) -> None:
        self._session = session
        self._shelf = shelf

    def _found(self, query: Query, wanted: Filter) -> Select[*tuple[Any, ...]]:
        owner = self._session.owner
        # What holds the words is found first, in the order in which it lies there, and then looked up.
        holding = select(_S.id, _S.text, _S.note).where(_S.owner == owner, found(query))
        hits = holding.cte().prefix_with("MATERIALIZED", dialect="postgresql")
        asked = rows(owner).join(hits, hits.c.id == _H.id).add_columns(hits.c.id, hits.c.text, hits.c.note)
        return asked.where(meant(owner, wanted))

    def search(self, query: Query, wanted: Filter, limit: int | None) -> Sequence[Highlight]:
        """Best first: passages in which, or in whose note, everything wanted is found."""
        with self._session.reading() as db:
            hits = [(id_, text, note) for id_, text, note in db.execute(self._found(query, wanted))]
            return self._best(query, hits, limit)

    def glance(self, query: Query, wanted: Filter, limit: int) -> Sequence[Highlight]:
        """The same for who types and waits: best first among few, in no particular order where many are found."""
        with self._session.reading() as db:
            asked = self._found(query, wanted).limit(RANKED + 1)
            hits = [(id_, text, note) for id_, text, note in db.execute(asked)]
            if len(hits) > RANKED:
                return self._shelf.of([id_ for id_, _, _ in hits[:limit]])
            return self._best(query, hits, limit)

    def _best(self, query: Query, hits: Sequence[tuple[Id, str, str]], limit: int | None) -> Sequence[Highlight]:
        if not hits:
            return []
        weighed = self._weigh([*query.wanted, *(words for group in query.either for words in group)])
        ranked = sorted((-weighed.of(text, note), id_) for id_, text, note in hits)
        return self._shelf.of([id_ for _, id_ in ranked[:limit]])

    def _weigh(self, asked: Sequence[Words]) -> _Weighed:
        """What is found seldom says more."""
        many = func.count()
        length = func.avg(func.length(_S.text) + func.length(_S.note))
        holding = [many.filter(parts(words)) for words in asked]
        asked_of: Select[*tuple[Any, ...]] = select(many, length, *holding).where(_S.owner == self._session.owner)
        with self._session.reading() as db:
            all_, average, *found_in = db.execute(asked_of).one()
        weights = [math.log(1 + (all_ - n + 0.5) / (n + 0.5)) for n in found_in]
        return _Weighed([*zip(asked, weights, strict=True)], float(average))

    def vocabulary(self, start: str = "") -> Sequence[tuple[str, int]]:
        """The words of the index that start like this, and how many passages hold each."""
        owner = self._session.owner
        each = func.unnest(func.string_to_array(_S.text + _S.note, " "), type_=tables.AnyText)
        shown = select(_H.id).where(_H.owner == owner, _H.hidden == 0)
        held = select(_S.id, each.label("word")).where(_S.owner == owner, _S.id.in_(shown)).subquery()
        asked = (
            select(held.c.word, func.count(distinct(held.c.id)))
            .where(held.c.word != "", held.c.word >= start, held.c.word < start + BEHIND)
            .group_by(held.c.word)
            .order_by(held.c.word)
        )
        with self._session.reading() as db:
            return [(word, many) for word, many in db.execute(asked)]
