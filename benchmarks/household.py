"""A server's people, each with a device that is let in without a code to type: a process of its own, so that whoever
measures memory stays small.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from kindlehl_server.accounts import Accounts, Pairing
from kindlehl_server.migrations import migrate
from kindlehl_server.store.database import Database


def main(data: Path, *names: str) -> None:
    """Tell the id and a token of each."""
    data.mkdir(parents=True)
    database = Database(f"sqlite:///{data / 'server.db'}")
    migrate(database)
    accounts = Accounts(database, _now)
    pairing = Pairing(database, accounts, _now)
    people = []
    for name in names:
        invitation = accounts.invite(people[0]) if people else accounts.first_invitation()
        people.append(accounts.accept(invitation or "", name, "correct horse battery staple"))
    said = []
    for person in people:
        started = pairing.start("bench", "127.0.0.1")
        pairing.approve(person, started.code)
        said.append((person.id, pairing.collect(started.secret)))
    print(json.dumps(said))


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
