"""How far a library in SQLite is with others."""

import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from kindlehl.domain.facts import Id
from kindlehl.ports import Progress

_READ = "SELECT epoch, pulled, pushed, withheld, met, refuses, wished FROM peers WHERE name = ?"
_KEEP = """INSERT INTO peers (name, epoch, pulled, pushed, withheld, met, refuses, wished)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE
  SET epoch = excluded.epoch, pulled = excluded.pulled, pushed = excluded.pushed, withheld = excluded.withheld,
    met = excluded.met, refuses = excluded.refuses, wished = excluded.wished"""


class SqlitePeers:
    """The `Peers` port."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def epoch(self) -> str:
        """Names this library's numbers."""
        (epoch,) = self._db.execute("SELECT value FROM settings WHERE key = 'epoch'").fetchone()
        return f"{epoch:x}"

    def renew(self, epoch: str | None = None) -> None:
        """The cursors of peers lose their meaning."""
        value = secrets.randbits(62) if epoch is None else int(epoch, 16)
        self._db.execute("INSERT OR REPLACE INTO settings VALUES ('epoch', ?)", (value,))

    def progress(self, peer: str) -> Progress:
        """With this one; the beginning where nothing is known."""
        row = self._db.execute(_READ, (peer,)).fetchone()
        return Progress(*row) if row else Progress()

    def keep(self, peer: str, progress: Progress) -> None:
        """Remember it."""
        self._db.execute(_KEEP, (peer, *progress))

    def refused(self, peer: str) -> Mapping[Id, int]:
        """The facts that this peer did not take, and their digests then."""
        return dict(self._db.execute("SELECT id, digest FROM refused WHERE peer = ?", (peer,)).fetchall())

    def refuse(self, peer: str, facts: Iterable[tuple[Id, int, str]]) -> None:
        """Remember facts that it did not take, the digest of each, and why."""
        self._db.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?)", ((peer, *fact) for fact in facts))

    def took(self, peer: str, ids: Sequence[Id]) -> None:
        """It has these after all."""
        self._db.executemany("DELETE FROM refused WHERE peer = ? AND id = ?", ((peer, id_) for id_ in ids))

    def forget(self, peer: str) -> None:
        """As though there never had been one."""
        self._db.execute("DELETE FROM refused WHERE peer = ?", (peer,))
        self._db.execute("DELETE FROM peers WHERE name = ?", (peer,))
