"""Sessions: who has signed in with a password stays so in that browser for a month."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from kindlehl.domain.clock import stamp
from kindlehl.domain.facts import new_id
from kindlehl_server.accounts import secrets
from kindlehl_server.accounts.people import Person
from kindlehl_server.store.database import Database
from kindlehl_server.store.tables import tokens, users

LASTS = timedelta(days=30)
SCOPE = "session"
"""Of its token: it lets no device in."""


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
                .where(
                    tokens.c.digest == secrets.digest(secret),
                    tokens.c.scope == SCOPE,
                    tokens.c.created_at > stamp(self._now() - LASTS),
                )
            ).first()
        return None if row is None else Person(*row)

    def end_others(self, person: Person, secret: str) -> None:
        """Sign out everywhere but here."""
        with self._database.writing() as db:
            db.execute(
                delete(tokens).where(
                    tokens.c.owner == person.id, tokens.c.scope == SCOPE, tokens.c.digest != secrets.digest(secret)
                )
            )

    def end(self, secret: str) -> None:
        """Sign out."""
        with self._database.writing() as db:
            db.execute(delete(tokens).where(tokens.c.digest == secrets.digest(secret), tokens.c.scope == SCOPE))
