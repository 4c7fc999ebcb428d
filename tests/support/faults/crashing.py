"""Named points round every durable write of a process, and round the answers that promise one.

FAULT=points notes in the file that the variable JOURNAL names which points are passed, and what a server acknowledged.
FAULT=kill:NAME:N does so, too, and kills the process as it passes a point for the Nth time.
"""

import os
import signal
import sqlite3
import sys
import threading
from typing import Any

_, NAME, NTH = [*os.environ["FAULT"].split(":"), "", "0"][:3]
JOURNAL = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
_connect, _replace = sqlite3.connect, os.replace
_lock = threading.Lock()
_passed = 0


def note(*words: str) -> None:
    """A line of the journal, whole whoever else writes to it."""
    os.write(JOURNAL, f"{' '.join(words)}\n".encode())


def point(name: str) -> None:
    """Here it may end."""
    global _passed
    with _lock:
        note("point", name)
        _passed += name == NAME
        if name == NAME and _passed == int(NTH):
            os.kill(os.getpid(), signal.SIGKILL)


class Connection(sqlite3.Connection):
    """A connection whose every commit that changes something lies between two points."""

    place = ""
    changes = 0

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement, which may be a commit."""
        if statement != "COMMIT":
            return super().execute(statement, *parameters)
        self._pass("committing")
        done = super().execute(statement, *parameters)
        self._settle("committed")
        return done

    def commit(self) -> None:
        """End a transaction."""
        self._pass("committing")
        super().commit()
        self._settle("committed")

    def _pass(self, what: str) -> None:
        if self.place and self.total_changes != self.changes:
            point(f"{self.place}.{what}")

    def _settle(self, what: str) -> None:
        self._pass(what)
        self.changes = self.total_changes


def connect(database: Any, *arguments: Any, **more: Any) -> sqlite3.Connection:
    """Open a database; one in memory has no points."""
    made: sqlite3.Connection = _connect(database, *arguments, **{"factory": Connection} | more)
    if isinstance(made, Connection) and ":memory:" not in str(database):
        made.place = place_of(str(database))
    return made


def place_of(database: str) -> str:
    """Whose it is."""
    if "server.db" in database:
        return "accounts"
    return "server" if "/libraries/" in database else "library"


def replace(source: Any, target: Any, **more: Any) -> None:
    """Rename; of the pairing between two points."""
    pairing = str(target).endswith(".server.json")
    if pairing:
        point("pairing.renaming")
    _replace(source, target, **more)
    if pairing:
        point("pairing.renamed")


def _about_answers() -> None:
    from kindlehl.remote.server import Server
    from kindlehl.wire import header
    from kindlehl.wire.messages import Push, Pushed

    ask, collect = Server.ask, Server.collect

    def asked(self: Server, question: Any) -> Any:
        answer = ask(self, question)
        if isinstance(question, Push) and isinstance(answer, Pushed):
            refused = {each.id for each in answer.refused}
            for id_ in {header(bytes(raw)).id for raw in question.facts} - refused:
                note("acknowledged", id_)
        point(f"{type(answer).__name__.lower()}.arrived")
        return answer

    def collected(self: Server, secret: str) -> str | None:
        token = collect(self, secret)
        if token:
            point("token.arrived")
        return token

    Server.ask, Server.collect = asked, collected  # type: ignore[method-assign]


def _before_answers() -> None:
    from kindlehl.wire.messages import Collected, Pushed
    from kindlehl_server.routes import requests

    answered = requests.answered

    def answering(message: Any) -> Any:
        if isinstance(message, Pushed):
            point("pushed.answering")
        elif isinstance(message, Collected) and message.token:
            point("token.answering")
        return answered(message)

    requests.answered = answering


sqlite3.connect = sqlite3.dbapi2.connect = connect
os.replace = replace
if "serve" in sys.orig_argv:
    _before_answers()
else:
    _about_answers()
