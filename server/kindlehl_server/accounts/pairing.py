"""Pairing a device (RFC 8628): it shows a code, its owner types that where he is signed in, and it gets a token.

Of 20^8 codes at most a hundred are waited for. How often one person may guess is limited where he types them; whoever
guesses ends nobody else's pairing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select, update

from kindlehl.domain.clock import stamp
from kindlehl.domain.errors import DeniedError, NotFoundError
from kindlehl_server.accounts import secrets
from kindlehl_server.accounts.accounts import Accounts
from kindlehl_server.accounts.people import Person, Still, anyway
from kindlehl_server.store.database import Database
from kindlehl_server.store.tables import pairings

WAITS_FOR = timedelta(minutes=10)
INTERVAL = 3
"""Seconds between two questions of a device that waits."""
WAITING = 100
"""Pairings under way at once; the oldest gives way."""


class Started(NamedTuple):
    """What a device is told."""

    secret: str
    """Which it keeps to itself and asks with."""
    code: str
    """Which it shows."""
    expires_in: int
    """Seconds."""
    interval: int


class Waiting(NamedTuple):
    """What its owner is shown before he agrees."""

    device: str
    address: str


class Pairing:
    """Devices that want to be let in."""

    def __init__(self, database: Database, accounts: Accounts, now: Callable[[], datetime]) -> None:
        self._database = database
        self._accounts = accounts
        self._now = now

    def start(self, device: str, address: str) -> Started:
        """A device, by the name it gives itself, asks from an address."""
        secret, code = secrets.token(), secrets.code()
        named = "".join(c for c in device if c.isprintable())[:64].strip() or "A device"
        with self._database.writing() as db:
            db.execute(delete(pairings).where(pairings.c.expires_at <= stamp(self._now())))
            crowd = db.scalars(select(pairings.c.digest).order_by(pairings.c.expires_at.desc()).offset(WAITING - 1))
            db.execute(delete(pairings).where(pairings.c.digest.in_(crowd.all())))
            db.execute(delete(pairings).where(pairings.c.code == code))
            db.execute(
                insert(pairings).values(
                    digest=secrets.digest(secret), code=code, device=named, address=address[:64],
                    expires_at=stamp(self._now() + WAITS_FOR),
                )
            )  # fmt: skip
        return Started(secret, code, int(WAITS_FOR.total_seconds()), INTERVAL)

    def look(self, code: str) -> Waiting:
        """What waits under a code that was typed. Raises NotFoundError where nothing does."""
        with self._database.reading() as db:
            row = db.execute(select(pairings.c.device, pairings.c.address).where(self._waits(code))).first()
        if row is None:
            raise _nothing_waits()
        return Waiting(*row)

    def approve(self, person: Person, code: str, still: Still = anyway) -> Waiting:
        """Somebody agrees that the device under this code becomes one of his. Raises NotFoundError."""
        agreed = update(pairings).where(self._waits(code)).values(approved_by=person.id)
        with self._database.writing() as db:
            still(db)
            row = db.execute(agreed.returning(pairings.c.device, pairings.c.address)).first()
        if row is None:
            raise _nothing_waits()
        return Waiting(*row)

    def refuse(self, code: str, still: Still = anyway) -> None:
        """Nobody knows this device."""
        with self._database.writing() as db:
            still(db)
            db.execute(delete(pairings).where(self._waits(code)))

    def collect(self, secret: str) -> str | None:
        """The token of a device that was let in, once; None while it waits. Raises DeniedError where it was refused,
        waited too long, or whoever approved it signed out everywhere else."""
        with self._database.writing() as db:
            mine = pairings.c.digest == secrets.digest(secret)
            row = db.execute(select(pairings).where(mine, pairings.c.expires_at > stamp(self._now()))).first()
            if row is not None and row.approved_by is None:
                return None
            if row is not None and db.execute(delete(pairings).where(mine)).rowcount:
                return self._accounts.admit(db, row.approved_by, row.device)
        raise DeniedError("The device was not let in.", hint="Begin again: kindlehl pair URL")

    def _waits(self, code: str) -> ColumnElement[bool]:
        return (
            (pairings.c.code == secrets.typed(code))
            & pairings.c.approved_by.is_(None)
            & (pairings.c.expires_at > stamp(self._now()))
        )


def _nothing_waits() -> NotFoundError:
    return NotFoundError("No device waits under that code.", hint="Look at the device again; codes expire.")
