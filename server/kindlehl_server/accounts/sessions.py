"""Sessions: who has signed in with a password stays so in that browser for a month."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from kindlehl.domain.clock import stamp
from kindlehl.domain.facts import new_id
from kindlehl_server.accounts import secrets
from kindlehl_server.accounts.people import Person, Still
from kindlehl_server.store.database import Database
from kindlehl_server.store.tables import invites, pairings, tokens, users

LASTS = timedelta(days=30)
SCOPE = "session"
"""Of its token: it lets no device in."""


class SignedOutError(Exception):
    """Somebody acts in a session that was ended meanwhile: he signs in first."""


class Sessions:
    """Browsers in which somebody is signed in."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def begin(self, person: Person) -> str:
        """A secret for one browser; the only time that anybody sees it. Sessions that are over are forgotten."""
        secret, now = secrets.token(), self._now()
        with self._database.writing() as db:
            db.execute(delete(tokens).where(tokens.c.scope == SCOPE, tokens.c.created_at <= stamp(now - LASTS)))
            db.execute(
                insert(tokens).values(
                    id=new_id(), digest=secrets.digest(secret), owner=person.id, name="", scope=SCOPE,
                    created_at=stamp(now),
                )
            )  # fmt: skip
        return secret

    def person(self, secret: str) -> Person | None:
        """Who is signed in; None where nobody is, or no longer."""
        with self._database.reading() as db:
            row = db.execute(
                select(users.c.id, users.c.name, users.c.role)
                .join(tokens, tokens.c.owner == users.c.id)
                .where(*self._holds(secret))
            ).first()
        return None if row is None else Person(*row)

    def still(self, secret: str) -> Still:
        """Raises SignedOutError where nobody is signed in any longer, by the time that he acts."""

        def ask(db: Connection) -> None:
            # Kept as it is until the deed is done: whoever signs out waits for it, and then undoes it.
            if db.execute(select(tokens.c.id).where(*self._holds(secret)).with_for_update(read=True)).first() is None:
                raise SignedOutError

        return ask

    def _holds(self, secret: str) -> tuple[ColumnElement[bool], ...]:
        return (
            tokens.c.digest == secrets.digest(secret),
            tokens.c.scope == SCOPE,
            tokens.c.created_at > stamp(self._now() - LASTS),
        )

    def end_others(self, person: Person, secret: str) -> None:
        """Sign out everywhere but here. Whoever had one of those browsers lets nobody in by it afterwards either: what
        this person approved and nobody has collected is void, and so are his invitations. Raises SignedOutError."""
        with self._database.writing() as db:
            self.still(secret)(db)
            db.execute(
                delete(tokens).where(
                    tokens.c.owner == person.id, tokens.c.scope == SCOPE, tokens.c.digest != secrets.digest(secret)
                )
            )
            db.execute(delete(pairings).where(pairings.c.approved_by == person.id))
            db.execute(delete(invites).where(invites.c.inviter == person.id))

    def end(self, secret: str) -> None:
        """Sign out."""
        with self._database.writing() as db:
            db.execute(delete(tokens).where(tokens.c.digest == secrets.digest(secret), tokens.c.scope == SCOPE))
