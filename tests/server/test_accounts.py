"""Who is let in: people by invitation and password, devices by a code, and nobody by guessing."""

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select, text
from support.cli import Kindlehl

from kindlehl.domain.errors import ConflictError, DeniedError, KindlehlError, NotFoundError, RevokedError, UsageError
from kindlehl.domain.facts import new_id
from kindlehl_server.accounts import Accounts, Pairing, Person, Sessions
from kindlehl_server.accounts.pairing import WAITING
from kindlehl_server.accounts.secrets import CONSONANTS
from kindlehl_server.store.database import Database
from kindlehl_server.store.tables import metadata, tokens, users

PASSWORD = "correct horse battery staple"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Slow(PasswordHasher):
    """Takes a while, and counts how often it is asked at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.asked = self.now = self.most = 0
        self._lock = threading.Lock()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """As it does, after a moment."""
        with self._lock:
            self.asked, self.now = self.asked + 1, self.now + 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        try:
            return super().hash(password, salt=salt)
        finally:
            with self._lock:
                self.now -= 1


class Clock:
    """Stands still until somebody turns it."""

    def __init__(self) -> None:
        self.at = datetime(2024, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What it shows."""
        return self.at

    def on(self, **more: float) -> None:
        """Turn it."""
        self.at += timedelta(**more)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_whoever_floods_the_door_costs_little(database: Database, clock: Clock) -> None:
    """No more than two passwords are looked at at once, and none of whoever has no invitation."""
    hasher = Slow()
    accounts = Accounts(database, clock, hasher)
    asked = hasher.asked
    with pytest.raises(DeniedError):
        accounts.accept("khl_none", "Eve", PASSWORD)
    assert hasher.asked == asked
    anna = accounts.accept(accounts.first_invitation() or "", "Anna", PASSWORD)
    invitations = [accounts.invite(anna) for _ in range(8)]
    threads = [
        threading.Thread(target=accounts.accept, args=(each, f"Guest {n}", PASSWORD))
        for n, each in enumerate(invitations)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(accounts.everybody()) == 9
    assert hasher.most <= 2


@pytest.fixture
def accounts(database: Database, clock: Clock) -> Accounts:
    return Accounts(database, clock, CHEAP)


@pytest.fixture
def pairing(database: Database, accounts: Accounts, clock: Clock) -> Pairing:
    return Pairing(database, accounts, clock)


@pytest.fixture
def anna(accounts: Accounts) -> Person:
    invitation = accounts.first_invitation()
    assert invitation is not None
    return accounts.accept(invitation, "Anna", PASSWORD)


@pytest.fixture
def ben(accounts: Accounts, anna: Person) -> Person:
    return accounts.accept(accounts.invite(anna), "Ben", PASSWORD)


def everything(database: Database) -> Iterator[str]:
    """Every value of every row."""
    with database.reading() as db:
        for table in metadata.sorted_tables:
            for row in db.execute(select(table)):
                yield from map(str, row)


class TestPeople:
    """By invitation, once."""

    def test_the_first_person_is_the_owner_and_the_others_are_not(self, anna: Person, ben: Person) -> None:
        """Who was invited by an owner is a member."""
        assert (anna.name, anna.role, ben.name, ben.role) == ("Anna", "owner", "Ben", "member")

    def test_there_is_a_first_invitation_only_while_nobody_is_here(self, accounts: Accounts) -> None:
        """A new one replaces the one before; then there is none."""
        first, second = accounts.first_invitation(), accounts.first_invitation()
        assert first
        assert second
        with pytest.raises(DeniedError):
            accounts.accept(first, "Anna", PASSWORD)
        accounts.accept(second, "Anna", PASSWORD)
        assert accounts.first_invitation() is None

    def test_an_invitation_holds_once_and_three_days(self, accounts: Accounts, anna: Person, clock: Clock) -> None:
        """And only one that somebody gave."""
        one, other = accounts.invite(anna), accounts.invite(anna)
        accounts.accept(one, "Ben", PASSWORD)
        clock.on(days=3, seconds=1)
        for secret in (one, other, "", "khl_x"):
            with pytest.raises(DeniedError):
                accounts.accept(secret, "Carl", PASSWORD)

    def test_a_member_invites_nobody(self, accounts: Accounts, ben: Person) -> None:
        """He is told whom to ask."""
        with pytest.raises(DeniedError):
            accounts.invite(ben)

    @pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\x1b[2J", "a\u202eb"])
    def test_a_name_that_will_not_do_leaves_the_invitation(self, accounts: Accounts, anna: Person, name: str) -> None:
        """As does one that somebody has, however it is composed, and a short password."""
        secret = accounts.invite(anna)
        for error, chosen, password in (
            (UsageError, name, PASSWORD), (ConflictError, " Anna ", PASSWORD), (UsageError, "Ben", "x" * 9),
            (UsageError, "Ben", "x" * 1_001),
        ):  # fmt: skip
            with pytest.raises(error):
                accounts.accept(secret, chosen, password)
        assert accounts.accept(secret, "Bjo\u0308rn", PASSWORD).name == "Björn"

    def test_of_two_who_come_with_one_invitation_one_comes_in(self, accounts: Accounts, anna: Person) -> None:
        """At the same moment."""
        secret = accounts.invite(anna)
        came: list[object] = []

        def come(name: str) -> None:
            try:
                came.append(accounts.accept(secret, name, PASSWORD))
            except KindlehlError as error:
                came.append(type(error))

        threads = [threading.Thread(target=come, args=(name,)) for name in ("Ben", "Carl", "Dora", "Emil")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(came, key=str)[1:] == [DeniedError] * 3 or came.count(DeniedError) == 3

    def test_whoever_has_the_password_signs_in(self, accounts: Accounts, anna: Person) -> None:
        """Name and password have to be right; which of both was wrong is not told."""
        assert accounts.sign_in(" Anna", PASSWORD) == anna
        told: set[str] = set()
        for name, password in (("Anna", "wrong"), ("Nobody", PASSWORD), ("anna", "wrong"), ("Anna", "x" * 9_999_999)):
            with pytest.raises(DeniedError) as error:
                accounts.sign_in(name, password)
            told.add(error.value.message)
        assert len(told) == 1

    def test_capitals_do_not_matter_in_a_name(self, accounts: Accounts, anna: Person, ben: Person) -> None:
        """Nor does how it is composed: nobody else comes in by a name that reads the same."""
        bjorn = accounts.accept(accounts.invite(anna), "Björn", PASSWORD)
        assert accounts.sign_in("aNNA", PASSWORD) == anna
        assert accounts.sign_in("BJO\u0308RN", PASSWORD) == bjorn
        with pytest.raises(ConflictError):
            accounts.accept(accounts.invite(anna), "BEN", PASSWORD)
        assert accounts.others(anna) == ["Ben", "Björn"]

    def test_names_that_differ_in_capitals_alone_are_typed_as_they_are(
        self, accounts: Accounts, anna: Person, database: Database
    ) -> None:
        """Where both came before there was a rule."""
        with database.writing() as db:
            db.execute(insert(users).values(
                id=new_id(), name="anna", password=CHEAP.hash("another password"), role="member",
                created_at="2024-03-01T00:00:00Z",
            ))  # fmt: skip
        assert accounts.sign_in("Anna", PASSWORD) == anna
        assert accounts.sign_in("anna", "another password").name == "anna"
        for password in (PASSWORD, "another password"):
            with pytest.raises(DeniedError):
                accounts.sign_in("ANNA", password)
        with pytest.raises(NotFoundError):
            accounts.give_password("ANNA")

    def test_whoever_forgot_a_password_is_given_another(
        self, accounts: Accounts, pairing: Pairing, database: Database, clock: Clock, anna: Person, ben: Person
    ) -> None:
        """Nobody who was signed in with the one before is so any longer; devices stay, and others notice nothing."""
        sessions = Sessions(database, clock)
        hers, his = sessions.begin(anna), sessions.begin(ben)
        kept, waits = pairing.start("Laptop", "192.0.2.7"), pairing.start("Phone", "192.0.2.7")
        pairing.approve(anna, kept.code)
        token = pairing.collect(kept.secret) or ""
        pairing.approve(anna, waits.code)
        invitation = accounts.invite(anna)
        name, password = accounts.give_password("anna")
        assert name == "Anna"
        assert accounts.sign_in("Anna", password) == anna
        assert (sessions.person(hers), sessions.person(his)) == (None, ben)
        assert accounts.device(token).name == "Laptop"
        for refused in (lambda: accounts.sign_in("Anna", PASSWORD), lambda: pairing.collect(waits.secret),
                        lambda: accounts.accept(invitation, "Eve", PASSWORD)):  # fmt: skip
            with pytest.raises(DeniedError):
                refused()
        with pytest.raises(NotFoundError) as error:
            accounts.give_password("Carl")
        assert error.value.hint == "Here are: Anna, Ben"

    def test_a_password_is_kept_by_argon2id_and_anew_where_that_grew_stronger(
        self, database: Database, accounts: Accounts, anna: Person, clock: Clock
    ) -> None:
        """At the next sign-in."""
        stronger = Accounts(database, clock, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
        assert any("$argon2id$v=19$m=8,t=1" in value for value in everything(database))
        assert stronger.sign_in("Anna", PASSWORD) == anna
        assert any("$argon2id$v=19$m=16,t=2" in value for value in everything(database))
        assert accounts.sign_in("Anna", PASSWORD) == anna


class TestDevices:
    """Tokens."""

    def paired(self, pairing: Pairing, person: Person, name: str = "Laptop") -> str:
        """The token of a device that was let in."""
        started = pairing.start(name, "192.0.2.7")
        pairing.approve(person, started.code)
        token = pairing.collect(started.secret)
        assert token is not None
        return token

    def test_a_device_shows_a_code_its_owner_types_it_and_it_has_a_token(
        self, accounts: Accounts, pairing: Pairing, anna: Person
    ) -> None:
        """However the code is typed; the token is given once."""
        started = pairing.start("Anna's laptop", "192.0.2.7")
        assert set(started.code) - {"-"} <= set(CONSONANTS)
        assert (len(started.code), started.expires_in, started.interval) == (9, 600, 3)
        assert pairing.collect(started.secret) is None
        assert pairing.look(started.code) == ("Anna's laptop", "192.0.2.7")
        assert pairing.approve(anna, started.code.lower().replace("-", " ")) == ("Anna's laptop", "192.0.2.7")
        token = pairing.collect(started.secret)
        assert token is not None
        assert token.startswith("khl_")
        assert len(token) == 47
        device = accounts.device(token)
        assert (device.owner, device.name, device.scope) == (anna.id, "Anna's laptop", "sync")
        with pytest.raises(DeniedError):
            pairing.collect(started.secret)

    def test_a_code_expires_after_ten_minutes(self, pairing: Pairing, anna: Person, clock: Clock) -> None:
        """For its owner and for the device."""
        started = pairing.start("Laptop", "192.0.2.7")
        clock.on(minutes=10)
        with pytest.raises(NotFoundError):
            pairing.approve(anna, started.code)
        with pytest.raises(DeniedError):
            pairing.collect(started.secret)

    def test_one_that_was_approved_and_never_asked_again_expires_too(
        self, pairing: Pairing, anna: Person, clock: Clock
    ) -> None:
        """No token is made for nobody."""
        started = pairing.start("Laptop", "192.0.2.7")
        pairing.approve(anna, started.code)
        clock.on(minutes=11)
        with pytest.raises(DeniedError):
            pairing.collect(started.secret)

    def test_who_guesses_codes_ends_nobodys_pairing(self, pairing: Pairing, anna: Person, ben: Person) -> None:
        """However many wrong ones somebody types: how often he may is limited where he does."""
        started = pairing.start("Laptop", "192.0.2.7")
        for _ in range(9):
            for act in (lambda: pairing.look("BBBB-BBBB"), lambda: pairing.approve(ben, "BBBB-BBBB")):
                with pytest.raises(NotFoundError):
                    act()
            pairing.refuse("BBBB-BBBB")
        assert pairing.approve(anna, started.code)
        assert pairing.collect(started.secret)

    def test_a_device_that_nobody_knows_is_refused(self, pairing: Pairing) -> None:
        """And learns it."""
        started = pairing.start("Laptop", "192.0.2.7")
        pairing.refuse(started.code)
        with pytest.raises(DeniedError):
            pairing.collect(started.secret)

    def test_of_many_that_wait_the_oldest_gives_way(self, pairing: Pairing, clock: Clock, anna: Person) -> None:
        """Whoever starts pairings without end fills nothing."""
        first = pairing.start("Laptop", "192.0.2.7")
        for _ in range(WAITING):
            clock.on(seconds=1)
            last = pairing.start("Laptop", "192.0.2.7")
        with pytest.raises(NotFoundError):
            pairing.approve(anna, first.code)
        assert pairing.approve(anna, last.code)

    def test_what_a_device_calls_itself_commands_nothing(self, pairing: Pairing) -> None:
        """Its owner reads it on a page and in a terminal."""
        started = pairing.start("\x1b[2JLap\u202etop" + "x" * 999, "192.0.2.7")
        assert pairing.look(started.code).device == "[2JLaptop" + "x" * 55
        assert pairing.look(pairing.start(" \x00", "192.0.2.7").code).device == "A device"

    def test_a_token_that_is_none_or_was_revoked_lets_nobody_in(
        self, accounts: Accounts, pairing: Pairing, anna: Person, ben: Person
    ) -> None:
        """At once; nobody revokes or renames what is another's."""
        token, other = self.paired(pairing, anna), self.paired(pairing, anna, "Tablet")
        device = accounts.device(token)
        for act in (lambda: accounts.revoke(ben.id, device.id), lambda: accounts.rename(ben.id, device.id, "Mine")):
            with pytest.raises(NotFoundError):
                act()
        accounts.rename(anna.id, device.id, "Old laptop")
        assert [each.name for each in accounts.devices(anna.id)] == ["Tablet", "Old laptop"]
        assert accounts.devices(ben.id) == []
        accounts.revoke(anna.id, device.id)
        for none in (token, token[:-1], "", "khl_", other + "x"):
            with pytest.raises(RevokedError):
                accounts.device(none)
        assert accounts.device(other).name == "Tablet"

    def test_when_a_device_was_last_heard_of_is_kept_to_the_minute(
        self, accounts: Accounts, pairing: Pairing, anna: Person, clock: Clock
    ) -> None:
        """Not every request writes."""
        token = self.paired(pairing, anna)
        seen: list[str | None] = []
        for seconds in (0, 30, 29, 1, 59, 2):
            clock.on(seconds=seconds)
            accounts.device(token)
            seen += [device.used_at for device in accounts.devices(anna.id)]
        times = [f"2024-03-01T12:0{minute}Z" for minute in ("0:00", "0:00", "0:00", "1:00", "1:00", "2:01")]
        assert seen == times

    def test_no_secret_is_in_the_database(
        self, database: Database, accounts: Accounts, pairing: Pairing, anna: Person
    ) -> None:
        """Whoever steals it cannot sign in, join or sync."""
        invitation, token, started = accounts.invite(anna), self.paired(pairing, anna), pairing.start("X", "192.0.2.7")
        held = list(everything(database))
        for secret in (invitation, token, started.secret, PASSWORD):
            assert not any(secret in value for value in held)
        assert hashlib.sha256(token.encode()).hexdigest() in held

    def test_when_somebody_is_gone_so_are_his_devices(
        self, database: Database, accounts: Accounts, pairing: Pairing, anna: Person
    ) -> None:
        """Nobody is left who could be let in."""
        token = self.paired(pairing, anna)
        with database.writing() as db:
            db.execute(text("DELETE FROM users"))
        with database.reading() as db:
            assert db.execute(select(tokens)).all() == []
        with pytest.raises(RevokedError):
            accounts.device(token)


class TestPasswordCommand:
    """`kindlehl server password`, typed by whoever runs the server."""

    def test_it_works_on_a_server_that_runs(self, address: str, accounts: Accounts, anna: Person,
                                            tmp_path: Path) -> None:  # fmt: skip
        """On either database; only the new one lets in, and it is shown once."""
        admin = Kindlehl(tmp_path / "admin")
        done = admin.ok("server", "password", "ANNA", "--database", address)
        told = re.fullmatch(r"New password of Anna: (\S+)\nSign in with it, and choose another one.*\n", done)
        assert told
        again = admin("server", "password", "Anna", "--database", address, "--json").json
        assert again == {"schema": "kindlehl/server-password/1", "name": "Anna", "password": again["password"]}
        for old in (PASSWORD, told[1]):
            with pytest.raises(DeniedError):
                accounts.sign_in("Anna", old)
        assert accounts.sign_in("Anna", again["password"]) == anna

    def test_what_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        """Neither a server nor a person."""
        admin = Kindlehl(tmp_path / "admin")
        done = admin("server", "password", "Anna", "--data", tmp_path / "none")
        assert (done.code, "There is no server's folder" in done.err) == (1, True)
        assert not (tmp_path / "none").exists()

    def test_who_is_here_is_said_for_a_name_that_nobody_has(
        self, address: str, accounts: Accounts, anna: Person, ben: Person, tmp_path: Path
    ) -> None:
        """To whoever runs the server alone."""
        done = Kindlehl(tmp_path / "admin")("server", "password", "Carl", "--database", address)
        assert (done.code, done.err) == (1, "kindlehl: Nobody here has that name.\n  Here are: Anna, Ben\n")
