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
                raise _no_invitation(db)
        kept = self._hashed(password)
        with self._database.writing() as db:
            role = db.scalar(delete(invites).where(*self._invited(secret)).returning(invites.c.role))
            if role is None:
                raise _no_invitation(db)
            if _called(db, chosen):
                raise _taken()
            if role == "owner":  # of two who came with a first invitation one is too late
                db.execute(delete(invites).where(invites.c.inviter.is_(None)))
            person = Person(new_id(), chosen, role)
            try:
                db.execute(insert(users).values(**person._asdict(), password=kept, created_at=stamp(self._now())))
            except IntegrityError as error:
                raise _taken() from error
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
        """Whoever has this name and password; capitals do not matter in a name. It takes as long and says the same
        whether the name or the password is wrong: DeniedError."""
        with self._database.reading() as db:
            row = db.execute(select(users).where(users.c.id == _called(db, normal(name)))).first()
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

    def change_password(self, person: Person, old: str, new: str, still: Still) -> None:
        """Another password for somebody who knows his own. Raises DeniedError, UsageError."""
        with self._database.reading() as db:
            kept = db.scalar(select(users.c.password).where(users.c.id == person.id))
        if kept is None or not self._fits(kept, old):
            raise DeniedError("That is not your password.", hint="Try again, or ask whoever runs the server.")
        self._set_password(person.id, new, still)

    def give_password(self, name: str) -> tuple[str, str]:
        """A new password for somebody who forgot his, and his name as he writes it. Raises NotFoundError."""
        with self._database.reading() as db:
            names = {each.id: str(each.name) for each in db.execute(select(users).order_by(users.c.id))}
            id_ = _called(db, normal(name))
        if id_ is None:
            here = ", ".join(names.values())
            raise NotFoundError(
                "Nobody here has that name.", hint=f"Here are: {here}" if here else "Nobody is here yet: kindlehl serve"
            )
        password = secrets.password()
        self._set_password(id_, password, anyway)
        return names[id_], password

    def _set_password(self, id_: str, password: str, still: Still) -> None:
        """Whoever was signed in with the one before is so no longer, and what he approved or whom he invited waits in
        vain. Devices stay."""
        kept = self._hashed(password)
        with self._database.writing() as db:
            still(db)
            db.execute(update(users).where(users.c.id == id_).values(password=kept))
            db.execute(delete(tokens).where(tokens.c.owner == id_, tokens.c.scope != SCOPE))
            db.execute(delete(pairings).where(pairings.c.approved_by == id_))
            db.execute(delete(invites).where(invites.c.inviter == id_))

    def others(self, person: Person) -> Sequence[str]:
        """The names of everybody else, the first one first."""
        with self._database.reading() as db:
            return db.scalars(select(users.c.name).where(users.c.id != person.id).order_by(users.c.id)).all()

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
            raise not_paired()
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
                raise not_paired()

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


def not_paired() -> RevokedError:
    """Whoever asks has no token that lets anybody in."""
    return RevokedError("This device is not paired with the server.", hint="Pair it: kindlehl pair URL")


def _called(db: Connection, name: str) -> str | None:
    """The id of whoever has this name, with these capitals or, where that is one person, with others. Where names
    differ in nothing else, they are older than this rule, and each is typed as it is."""
    names = [(each.id, each.name) for each in db.execute(select(users.c.id, users.c.name))]
    same = [id_ for id_, each in names if each == name] or [
        id_ for id_, each in names if each.casefold() == name.casefold()
    ]
    return same[0] if len(same) == 1 else None


def _taken() -> ConflictError:
    return ConflictError("Somebody here has that name.", hint="Choose another one.")


def _no_invitation(db: Connection) -> DeniedError:
    somebody = db.scalar(select(users.c.id).limit(1))
    return DeniedError(
        "This invitation was used, or is too old.",
        hint="Ask for another one." if somebody else "Start `kindlehl serve` again: it prints a new one.",
    )


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
