"""Digests of all facts of a library in SQLite, made anew."""

import sqlite3
from collections.abc import Iterator

from kindlehl import wire
from kindlehl.domain import withholding
from kindlehl.domain.batches import batches
from kindlehl.store.damage import DAMAGED
from kindlehl.store.facts import DIGEST, DIGITS


def digest_all(connection: sqlite3.Connection) -> None:
    """Take the digest of every body, in a file whose facts had none."""
    for run in _runs(connection):
        rows = connection.execute("SELECT key, body FROM facts WHERE key BETWEEN ? AND ?", run)
        connection.executemany(
            "UPDATE facts SET digest = ? WHERE key = ?", [(wire.digest(body), key) for key, body in rows]
        )
    sum_up(connection)


def sum_up(connection: sqlite3.Connection) -> None:
    """Tell anew what each fact is part of, as this version understands it, and add up the digests of the buckets. What
    a body had as its digest when it arrived stays."""
    connection.execute("DELETE FROM digests")
    for run in _runs(connection):
        rows = connection.execute(
            "SELECT key, id, digest, private, body FROM facts WHERE key BETWEEN ? AND ?", run
        ).fetchall()
        told = [
            (key, withholding.falls_under(wire.decode(body)) | private & DAMAGED, private)
            for key, _, _, private, body in rows
        ]
        connection.executemany(
            "UPDATE facts SET private = ? WHERE key = ?", [(now, key) for key, now, before in told if now != before]
        )
        connection.executemany(
            DIGEST,
            [(id_[-DIGITS:], now, digest) for (_, id_, digest, _, _), (_, now, _) in zip(rows, told, strict=True)],
        )


def _runs(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """The first and the last key of each handful of facts."""
    keys = (key for (key,) in connection.execute("SELECT key FROM facts ORDER BY key").fetchall())
    return ((batch[0], batch[-1]) for batch in batches(keys))
