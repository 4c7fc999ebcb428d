"""Accounts: people come in by an invitation and sign in with a password; devices have tokens."""

import unicodedata
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kindlehl.domain.clock import stamp
from kindlehl.domain.errors import BusyError, ConflictError, DeniedError, NotFoundError, RevokedError, UsageError
from kindlehl.domain.facts import new_id
from kindlehl_server.accounts import secrets
from kindlehl_server.accounts.people import Device, Person, Role, Still, anyway
from kindlehl_server.store.database import Database
from kindlehl_server.store.tables import invites, pairings, revoked, tokens, users

INVITED_FOR = timedelta(days=3)
SHORTEST = 10
"""Characters of a password."""
LONGEST = 1_000
_HASHING = 5.0
"""Seconds to wait for others whose passwords are looked at."""
SCOPE = "sync"
"""What a device's token is for."""
_HEARD_OF = timedelta(minutes=1)
"""How exactly it is kept when a device was last heard of: not every request shall write."""


class Accounts:
    """Who is let in."""

    def __init__(self, database: Database, now: Callable[[], datetime], hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._now = now
        self._hasher = hasher or PasswordHasher()
        self._hashing = BoundedSemaphore(2)
        self._nobodys = self._hasher.hash(secrets.token())

    # -- people ---------------------------------------------------------------------------------------------------

    def first_invitation(self) -> str | None:
        """While nobody is here: a secret by which the first person becomes the owner. It replaces an earlier one."""
        with self._database.writing() as db:
            if db.scalar(select(func.count()).select_from(users)):
                return None
            db.execute(delete(invites).where(invites.c.inviter.is_(None)))
            return self._invite(db, "owner", None)

    def invite(self, inviter: Person, still: Still = anyway) -> str:
        """A secret by which one more person can come in, once, within three days. Raises DeniedError unless an owner
        asks."""
        if inviter.role != "owner":
            raise DeniedError("Only an owner of this server can invite others.", hint="Ask whoever runs it.")
        with self._database.writing() as db:
            still(db)
            return self._invite(db, "member", inviter.id)

    def _invite(self, db: Connection, role: Role, inviter: str | None) -> str:
        secret = secrets.token()
        expires = stamp(self._now() + INVITED_FOR)
        db.execute(
            insert(invites).values(digest=secrets.digest(secret), role=role, inviter=inviter, expires_at=expires)
        )
        return secret

    def accept(self, secret: str, name: str, password: str) -> Person:
        """Come in. Raises DeniedError where the invitation is none, was used or is too old, UsageError for a name or
        password that will not do, ConflictError where the name is taken; then the invitation still holds."""
        chosen = self._named(name)
        with self._database.reading() as db:  # whoever has none costs no hash
            invited = select(invites.c.role).where(*self._invited(secret))
            if db.scalar(invited) is None:
                raise _no_invitation()
        kept = self._hashed(password)
        with self._database.writing() as db:
            role = db.scalar(delete(invites).where(*self._invited(secret)).returning(invites.c.role))
            if role is None:
                raise _no_invitation()
            if role == "owner":  # of two who came with a first invitation one is too late
                db.execute(delete(invites).where(invites.c.inviter.is_(None)))
            person = Person(new_id(), chosen, role)
            try:
                db.execute(insert(users).values(**person._asdict(), password=kept, created_at=stamp(self._now())))
            except IntegrityError as error:
                raise ConflictError("Somebody here has that name.", hint="Choose another one.") from error
        return person

    def _invited(self, secret: str) -> tuple[ColumnElement[bool], ...]:
        return invites.c.digest == secrets.digest(secret), invites.c.expires_at > stamp(self._now())

    def _named(self, name: str) -> str:
        chosen = normal(name)
        if not 0 < len(chosen) <= 64 or not chosen.isprintable():
            raise UsageError("A name has 1 to 64 characters.", hint="Choose another one.")
        return chosen

    def _hashed(self, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST:
            raise UsageError(
                f"A password has {SHORTEST} to {LONGEST:,} characters.", hint="Four words that go together do well."
            )
        with self._working():
            return self._hasher.hash(password.encode("utf-8", "surrogatepass"))

    @contextmanager
    def _working(self) -> Generator[None]:
        """Two passwords at a time: each takes much memory, on purpose. Raises BusyError."""
        if not self._hashing.acquire(timeout=_HASHING):
            error = BusyError("Too many people sign in at this moment.", hint="Try again in a moment.")
            error.retry_after = _HASHING
            raise error
        try:
            yield
        finally:
            self._hashing.release()

    def sign_in(self, name: str, password: str) -> Person:
        """Whoever has this name and password. It takes as long and says the same whether the name or the password is
        wrong: DeniedError."""
        chosen = normal(name)
        with self._database.reading() as db:
            row = db.execute(select(users).where(users.c.name == chosen)).first()
        kept = self._nobodys if row is None else row.password
        if not self._fits(kept, password) or row is None:
            raise DeniedError("The name or the password is wrong.", hint="Try again, or ask whoever runs the server.")
        if self._hasher.check_needs_rehash(kept):
            anew = self._hasher.hash(password.encode("utf-8", "surrogatepass"))
            with self._database.writing() as db:
                db.execute(update(users).where(users.c.id == row.id, users.c.password == kept).values(password=anew))
        return Person(row.id, row.name, row.role)

    def _fits(self, kept: str, password: str) -> bool:
        if len(password) > LONGEST:
            return False
        try:
            with self._working():
                return self._hasher.verify(kept, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False

    def everybody(self) -> Sequence[str]:
        """The ids of all people, the first one first."""
        with self._database.reading() as db:
            return db.scalars(select(users.c.id).order_by(users.c.id)).all()

    # -- devices --------------------------------------------------------------------------------------------------

    def admit(self, db: Connection, owner: str, name: str) -> str:
        """A token for one more device of somebody's; the only time that anybody sees it."""
        token = secrets.token()
        db.execute(
            insert(tokens).values(
                id=new_id(), digest=secrets.digest(token), owner=owner, name=name, scope=SCOPE,
                created_at=stamp(self._now()),
            )
        )  # fmt: skip
        return token

    def device(self, token: str) -> Device:
        """The device that has this token. Raises RevokedError where there is none, or no longer."""
        with self._database.reading() as db:
            row = db.execute(_DEVICES.where(tokens.c.digest == secrets.digest(token))).first()
        if row is None:
            raise _not_paired()
        found = Device(*row)
        now = self._now()
        if found.used_at is None or found.used_at <= stamp(now - _HEARD_OF):
            with self._database.writing() as db:
                db.execute(update(tokens).where(tokens.c.id == found.id).values(used_at=stamp(now)))
        return found

    def still(self, token: str) -> Still:
        """Raises RevokedError where the device that has this token is let in no longer, by the time that it acts."""

        def ask(db: Connection) -> None:
            held = select(tokens.c.id).where(tokens.c.digest == secrets.digest(token), tokens.c.scope == SCOPE)
            if db.execute(held.with_for_update(read=True)).first() is None:
                raise _not_paired()

        return ask

    def devices(self, person: str) -> Sequence[Device]:
        """The devices of the person with this id, the newest first."""
        with self._database.reading() as db:
            rows = db.execute(_DEVICES.where(tokens.c.owner == person).order_by(tokens.c.id.desc()))
            return [Device(*row) for row in rows]

    def rename(self, person: str, id_: str, name: str, still: Still = anyway) -> None:
        """Call one of somebody's devices otherwise. Raises NotFoundError where it is none of his."""
        chosen = self._named(name)
        with self._database.writing() as db:
            still(db)
            if not db.execute(update(tokens).where(*_mine(person, id_)).values(name=chosen)).rowcount:
                raise _no_device()

    def revoke(self, person: str, id_: str, still: Still = anyway) -> None:
        """Let one of somebody's devices in no more. Raises NotFoundError where it is none of his."""
        with self._database.writing() as db:
            still(db)
            if not db.execute(delete(tokens).where(*_mine(person, id_))).rowcount:
                raise _no_device()
            db.execute(insert(revoked).values(id=id_))


_DEVICES = select(
    tokens.c.id, tokens.c.owner, tokens.c.name, tokens.c.scope, tokens.c.created_at, tokens.c.used_at
).where(tokens.c.scope == SCOPE)  # fmt: skip


def _not_paired() -> RevokedError:
    return RevokedError("This device is not paired with the server.", hint="Pair it: kindlehl pair URL")


def _no_invitation() -> DeniedError:
    return DeniedError("This invitation was used, or is too old.", hint="Ask for another one.")


def _no_device() -> NotFoundError:
    return NotFoundError("There is no such device.", hint="See them: kindlehl devices list")


def normal(name: str) -> str:
    """One name, however it was composed or spaced."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _mine(person: str, id_: str) -> tuple[ColumnElement[bool], ...]:
    """A device, and that it is this person's."""
    return tokens.c.id == id_, tokens.c.owner == person, tokens.c.scope == SCOPE


def all_revoked(database: Database) -> Sequence[str]:
    """The ids of devices that were ever revoked here."""
    with database.reading() as db:
        return db.scalars(select(revoked.c.id)).all()


def close_doors(database: Database, since: Sequence[str]) -> None:
    """Of a server that was restored: whoever was signed in signs in again, and no invitation or pairing of that day
    holds any more. Devices stay, but for those that were revoked since."""
    with database.writing() as db:
        db.execute(delete(invites))
        db.execute(delete(pairings))
        db.execute(delete(tokens).where(tokens.c.scope != SCOPE))
        for id_ in set(since).difference(db.scalars(select(revoked.c.id))):
            db.execute(delete(tokens).where(tokens.c.id == id_))
            db.execute(insert(revoked).values(id=id_))
