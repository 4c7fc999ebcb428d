"""The facts of a library in SQLite: keeping the maximum of their states, and asking for them."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple, TypeAlias

from kindlehl import wire
from kindlehl.domain import fields, withholding
from kindlehl.domain.batches import BATCH, KEPT, batches
from kindlehl.domain.erasure import skeleton_of_edit
from kindlehl.domain.facts import Edit, Fact, Id, Import, Record, state
from kindlehl.ports import Edited, Feed, Rotten, Standing
from kindlehl.store.damage import DAMAGED, can_be_read, sound
from kindlehl.store.paging import page
from kindlehl.store.presence import Arrived, Presence

DIGITS = 2
"""Of an id, at its end: what tells the bucket whose digest is kept."""
DIGEST = """INSERT INTO digests VALUES (?, ?, ?) ON CONFLICT DO UPDATE
  SET digest = (digest | excluded.digest) & ~(digest & excluded.digest)"""
"""SQLite has no XOR."""

_Body: TypeAlias = tuple[str, str, Id, tuple[bool, int, int], Fact | None]
"""A fact as it travels, its type and id, what orders its states, and what it says if that is known."""


class _Held(NamedTuple):
    """A fact that is here."""

    key: int
    body: str
    """As it travels; as far as it can be told, where it is damaged."""
    digest: int
    """Of the body when it arrived."""
    private: int
    state: tuple[bool, int, int]

    def is_rotten(self) -> bool:
        """Whether the body is not what arrived."""
        return bool(self.private & DAMAGED) or wire.digest(self.body) != self.digest


def _redated(fact: Fact | None, before: str) -> bool:
    """Whether a better reading of a record gives it another time."""
    if not isinstance(fact, Record):
        return False
    was = wire.decode(before)
    return not isinstance(was, Record) or was.at != fact.at


def _is_another(fact: Fact | None, before: str) -> bool:
    """Whether a state says something else than a better reading, or an erasure, of what was said before: only a forger
    writes that."""
    was = wire.decode(before)
    if isinstance(fact, Record) and isinstance(was, Record):
        return fact.atom != was.atom
    if isinstance(fact, Edit) and isinstance(was, Edit):
        return skeleton_of_edit(fact) != skeleton_of_edit(was) or not fact.erased
    return not (fact is was is None)


class SqliteFacts:
    """The `Facts` port."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.presence = Presence(connection, self)

    # -- adding ---------------------------------------------------------------------------------------------------

    def add(self, facts: Iterable[Fact]) -> int:
        """Keep the maximum of what is here and what comes, for each id."""
        return sum(
            self._keep([(wire.encode(fact), type(fact).__name__.lower(), fact.id, state(fact), fact) for fact in batch])
            for batch in batches(facts, KEPT)
        )

    def add_raw(self, bodies: Iterable[str]) -> int:
        """The same for bodies as they travel."""
        advanced = 0
        for batch in batches(bodies, KEPT):
            rows: list[_Body] = []
            for body in batch:
                head = wire.header(body)
                fact = wire.decode(body)
                rows.append((body, head.type, head.id, state(fact), fact))
            advanced += self._keep(rows)
        return advanced

    def _keep(self, batch: Sequence[_Body]) -> int:
        """Insert what is new, replace what is lower, and derive from both."""
        before = self._states_of([id_ for _, _, id_, _, _ in batch])
        held = dict(before)
        number = self._last_number()
        new: dict[Id, tuple[Any, ...]] = {}
        raised: dict[Id, tuple[Any, ...]] = {}
        arrived: dict[Id, Arrived] = {}
        for body, type_, id_, ranked, fact in batch:
            old = held.get(id_)
            rotten = redated = False
            if old is None:
                number += 1
                key = number
            elif old.body == body and not old.private & DAMAGED:
                continue
            else:
                rotten = old.is_rotten()
                if not rotten and wire.rank(body) <= wire.rank(old.body):
                    continue
                if rotten and ranked < old.state and can_be_read(id_, type_, old.body.encode()):
                    # A lesser state brings nothing back: the damaged one is the best there is.
                    body, fact = old.body, wire.decode(old.body)
                    ranked = state(fact)
                key = old.key
                number += 1
            digest, private = wire.digest(body), withholding.falls_under(fact)
            if old is None or id_ in new:  # two states of one id may be in one batch
                new[id_] = (key, number, id_, type_, *ranked, body, digest, private)
            else:
                raised[id_] = (number, type_, *ranked, body, digest, private, key)
                redated = not rotten and _redated(fact, old.body)
                self.presence.touched.forged |= rotten or _is_another(fact, old.body)
            if fact is not None:
                arrived[id_] = Arrived(key, fact, id_ in new, redated)
            held[id_] = _Held(key, body, digest, private, ranked)
        changes = [(id_, row[-2], row[-1]) for id_, row in new.items()]
        changes += [(id_, row[-3], row[-2]) for id_, row in raised.items()]
        changes += [(id_, before[id_].digest, before[id_].private) for id_ in raised]
        self._digest(changes)
        self._db.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", new.values())
        self._db.execute("DELETE FROM rotten WHERE id IN (SELECT value FROM json_each(?))", (json.dumps([*new]),))
        self._db.executemany(
            """UPDATE facts SET seq = ?, type = ?, erased = ?, revision = ?, certainty = ?, body = ?, digest = ?,
                 private = ? WHERE key = ?""",
            raised.values(),
        )
        self.presence.derive(arrived)
        return len(new) + len(raised)

    def _states_of(self, ids: Sequence[Id]) -> dict[Id, _Held]:
        """Of these facts, those that are here."""
        rows = self._db.execute(
            """SELECT id, key, CAST(body AS BLOB), digest, private, erased, revision, certainty FROM facts
               WHERE id IN (SELECT value FROM json_each(?))""",
            (json.dumps(ids),),
        )
        return {
            id_: _Held(key, body.decode(errors="replace"), digest, private, (bool(erased), revision, certainty))
            for id_, key, body, digest, private, erased, revision, certainty in rows
        }

    def _digest(self, changes: Iterable[tuple[Id, int, int]]) -> None:
        """Take into the digests what comes, and out of them what goes: ids, digests, and what they fall under."""
        sums: dict[tuple[str, int], int] = {}
        for id_, digest, private in changes:
            bucket = id_[-DIGITS:], private
            sums[bucket] = sums.get(bucket, 0) ^ digest
        self._db.executemany(DIGEST, ((*bucket, digest) for bucket, digest in sums.items()))

    def _last_number(self) -> int:
        """The highest number in use. Keys and sequence numbers are drawn from one row of numbers."""
        (number,) = self._db.execute(
            """SELECT max(coalesce((SELECT max(key) FROM facts), 0),
                          coalesce((SELECT max(seq) FROM facts WHERE seq <> key), 0))"""
        ).fetchone()
        return int(number)

    def held(self, ids: Sequence[Id]) -> dict[Id, tuple[int, str]]:
        """Of these facts, those that are here: their keys and bodies."""
        return {
            id_: (key, body)
            for id_, key, body in self._db.execute(
                "SELECT id, key, body FROM facts WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
            )
        }

    def start(self) -> None:
        """A transaction begins, or did not happen: nothing is touched, nothing read in it is remembered."""
        self.presence.start(self._last_number() + 1)

    # -- travelling -----------------------------------------------------------------------------------------------

    def head(self) -> int:
        """The number of the fact that arrived last, 0 where there is none."""
        return self._last_number()

    def since(self, cursor: int, count: int, size: int, withheld: int = 0, until: int | None = None) -> Feed:
        """What has arrived behind a cursor."""
        stop = self._last_number() if until is None else until
        rows = self._db.execute(
            """SELECT seq, digest, CAST(body AS BLOB) FROM
                 (SELECT key AS seq, digest, body, private FROM facts WHERE key > :cursor AND key <= :stop AND seq = key
                  UNION ALL
                  SELECT seq, digest, body, private FROM facts WHERE seq > :cursor AND seq <= :stop AND seq <> key)
               WHERE private & :withheld = 0 ORDER BY seq LIMIT :limit""",
            {"cursor": cursor, "stop": stop, "withheld": withheld | DAMAGED, "limit": count + 1},
        )
        with closing(rows):  # whoever raises keeps them open, and nobody could write
            return page(sound(rows), cursor, count, size, stop)

    def digests(self, digits: int, withheld: int = 0) -> Mapping[str, int]:
        """The digest of each bucket that holds anything."""
        # Two digits are kept; more are asked for so rarely that they are not worth an index.
        withheld |= DAMAGED
        kept = "SELECT bucket, digest FROM digests WHERE private & ? = 0"
        every = "SELECT substr(id, -?), digest FROM facts WHERE private & ? = 0"
        rows = self._db.execute(kept, (withheld,)) if digits == DIGITS else self._db.execute(every, (digits, withheld))
        out: dict[str, int] = {}
        for bucket, digest in rows:
            out[bucket] = out.get(bucket, 0) ^ digest
        return {bucket: digest for bucket, digest in out.items() if digest}

    def states(self, buckets: Sequence[str], withheld: int = 0) -> Mapping[Id, int]:
        """The facts of some buckets, and the digest of each."""
        rows = self._db.execute(
            """SELECT id, digest FROM facts
               WHERE private & ? = 0 AND substr(id, -?) IN (SELECT value FROM json_each(?))""",
            (withheld | DAMAGED, len(buckets[0]) if buckets else DIGITS, json.dumps(buckets)),
        )
        return dict(rows.fetchall())

    def named(self, ids: Sequence[Id], withheld: int = 0) -> Iterator[str]:
        """The bodies of these facts, of those that are here, in the order of their ids."""
        rows = self._db.execute(
            """SELECT id, digest, CAST(body AS BLOB) FROM facts
               WHERE private & ? = 0 AND id IN (SELECT value FROM json_each(?)) ORDER BY id""",
            (withheld | DAMAGED, json.dumps(ids)),
        )
        with closing(rows):
            for _, body in sound(rows):
                yield body

    def set_aside_rotten(self) -> Rotten:
        """Mark the facts whose bodies are not what arrived, and take out those that say nothing any more."""
        marked: list[int] = []
        lost: list[int] = []
        last = 0
        while rows := self._db.execute(
            """SELECT key, id, type, private, digest, CAST(body AS BLOB) FROM facts WHERE key > ?
               ORDER BY key LIMIT ?""",
            (last, BATCH),
        ).fetchall():
            last = rows[-1][0]
            for key, id_, type_, private, digest, body in rows:
                if wire.digest(body) == digest:
                    continue
                if not can_be_read(id_, type_, body):
                    lost.append(key)
                elif not private & DAMAGED:
                    marked.append(key)
        for keys in batches(marked):
            named = (json.dumps(keys),)
            told = "SELECT id, digest, private FROM facts WHERE key IN (SELECT value FROM json_each(?))"
            self._digest(self._db.execute(told, named).fetchall())
            mark = "UPDATE facts SET private = private | ? WHERE key IN (SELECT value FROM json_each(?))"
            self._db.execute(mark, (DAMAGED, *named))
            self._digest(self._db.execute(told, named).fetchall())
        for keys in batches(lost):
            named = (json.dumps(keys),)
            rows = self._db.execute(
                "SELECT id, digest, private FROM facts WHERE key IN (SELECT value FROM json_each(?))", named
            ).fetchall()
            self._digest(rows)
            self._db.execute(
                """INSERT OR REPLACE INTO rotten
                   SELECT id, body FROM facts WHERE key IN (SELECT value FROM json_each(?))""",
                named,
            )
            self._db.execute("DELETE FROM facts WHERE key IN (SELECT value FROM json_each(?))", named)
        return Rotten(len(marked), len(lost))

    def rotten(self) -> Rotten:
        """How many are known to be damaged."""
        (readable,) = self._db.execute("SELECT count(*) FROM facts WHERE private & ? <> 0", (DAMAGED,)).fetchone()
        (lost,) = self._db.execute("SELECT count(*) FROM rotten").fetchone()
        return Rotten(readable, lost)

    def damaged(self, withheld: int = 0) -> Sequence[str]:
        """The bodies, as they read, of the damaged facts that can be read."""
        rows = self._db.execute(
            "SELECT body FROM facts WHERE private & ? <> 0 AND private & ? = 0 ORDER BY key", (DAMAGED, withheld)
        )
        return [body for (body,) in rows]

    def drop(self, withheld: int) -> int:
        """Forget the facts of these classes."""
        gone = self._db.execute("DELETE FROM facts WHERE private & ? <> 0", (withheld,)).rowcount
        self._db.execute("DELETE FROM digests WHERE private & ? <> 0", (withheld,))
        self._db.execute("DELETE FROM rotten")  # of which nobody can say any more what it was part of
        return gone

    # -- asking ---------------------------------------------------------------------------------------------------

    def standing(self, ids: Sequence[Id], source: str) -> Mapping[Id, Standing]:
        """How these records stand."""
        return {
            id_: Standing(bool(live), bool(here), bool(erased), revision, certainty)
            for id_, live, here, erased, revision, certainty in self._db.execute(
                """SELECT f.id, max(coalesce(i.live, 0)), max(coalesce(i.live AND s.name = ?, 0)),
                     f.erased, f.revision, f.certainty
                   FROM facts f LEFT JOIN listings l ON l.record = f.key LEFT JOIN imports i ON i.key = l.import
                     LEFT JOIN sources s ON s.key = i.source
                   WHERE f.id IN (SELECT value FROM json_each(?)) GROUP BY f.key""",
                (source, json.dumps(ids)),
            )
        }

    def bodies(self) -> Iterator[str]:
        """Every fact as it travels, in order of arrival."""
        for (body,) in self._db.execute("SELECT body FROM facts ORDER BY seq"):
            yield body

    def records(self, ids: Sequence[Id]) -> Mapping[Id, Record]:
        """Records by id, those that are held."""
        found = ((id_, wire.decode(body)) for id_, (_, body) in self.held(ids).items())
        return {id_: fact for id_, fact in found if isinstance(fact, Record)}

    def of(self, op: Id) -> Sequence[Edit | Import]:
        """The edits and imports of one operation."""
        rows = self._db.execute(
            """SELECT f.body FROM facts f WHERE f.key IN
                 (SELECT key FROM edits WHERE op = ? UNION SELECT key FROM imports WHERE op = ?) ORDER BY f.key""",
            (op, op),
        )
        found = (wire.decode(body) for (body,) in rows)
        return [fact for fact in found if isinstance(fact, Edit | Import)]

    def greatest_stamp(self) -> int:
        """The greatest clock of all edits, 0 where there are none."""
        return int(self._db.execute("SELECT coalesce(max(hlc), 0) FROM edits").fetchone()[0])

    def reached(self, until: str) -> Mapping[str, str]:
        """Source → the latest time of a record that it listed, of those before `until`."""
        rows = self._db.execute(
            """SELECT s.name, max(r.at) FROM reached r JOIN sources s ON s.key = r.source
               WHERE r.day < ? AND r.at < ? GROUP BY s.key""",
            (until, until),
        )
        return dict(rows.fetchall())

    def edits(self, targets: Sequence[Id]) -> Sequence[Edit]:
        """Every edit of these targets."""
        rows = self._db.execute(
            """SELECT f.body FROM edits e JOIN facts f ON f.key = e.key
               WHERE e.target IN (SELECT value FROM json_each(?)) ORDER BY e.key""",
            (json.dumps(targets),),
        )
        found = (wire.decode(body) for (body,) in rows)
        return [fact for fact in found if isinstance(fact, Edit)]

    def edited(self, targets: Sequence[Id]) -> Mapping[Id, Edited]:
        """The edits of each of these."""
        rows = self._db.execute(
            """SELECT e.target, count(*), sum((SELECT count(*) FROM seen WHERE edit = e.key)
                 + (SELECT count(*) FROM covers WHERE edit = e.key)), sum(length(CAST(f.body AS BLOB)))
               FROM edits e JOIN facts f ON f.key = e.key
               WHERE e.target IN (SELECT value FROM json_each(?)) GROUP BY e.target""",
            (json.dumps(targets),),
        )
        return {target: Edited(*counted) for target, *counted in rows}

    def before(self, ids: Iterable[Id]) -> set[Id]:
        """The facts named, and all that those had seen, and so on."""
        named = list(ids)
        if not named:
            return set()
        return {
            id_
            for (id_,) in self._db.execute(
                """WITH RECURSIVE b (id) AS (SELECT value FROM json_each(?) UNION
                     SELECT s.id FROM b JOIN edits e ON e.id = b.id JOIN seen s ON s.edit = e.key)
                   SELECT id FROM b""",
                (json.dumps(named),),
            )
        }

    def replacing(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The edits that have seen any of these."""
        rows = self._db.execute(
            """SELECT body FROM facts WHERE key IN
                 (SELECT edit FROM seen WHERE id IN (SELECT value FROM json_each(?))) ORDER BY key""",
            (json.dumps(ids),),
        )
        found = (wire.decode(body) for (body,) in rows)
        return [fact for fact in found if isinstance(fact, Edit)]

    def deletions(self, ids: Sequence[Id]) -> Sequence[Edit]:
        """The deletions in force that cover any of these records."""
        # Whatever restores a deletion, or takes that back, has seen it or something that had.
        rows = self._db.execute(
            """WITH RECURSIVE d (key, id) AS (
                 SELECT e.key, e.id FROM covers c JOIN edits e ON e.key = c.edit
                   WHERE c.id IN (SELECT value FROM json_each(?))
                 UNION SELECT e.key, e.id FROM d JOIN seen s ON s.id = d.id JOIN edits e ON e.key = s.edit
                   WHERE e.field = 'deleted')
               SELECT f.body FROM d JOIN facts f ON f.key = d.key ORDER BY f.id""",
            (json.dumps(ids),),
        )
        decoded = (wire.decode(body) for (body,) in rows)
        found = fields.deletions([edit for edit in decoded if isinstance(edit, Edit)], self)
        covered = set(ids)
        return [edit for edit in found if not covered.isdisjoint(edit.covers)]
