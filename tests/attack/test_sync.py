"""An enemy in the household, or in its network: what he can do to himself, and what he cannot do to others."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from support.cli import SAMPLE, Kindlehl, complaint, disk, facts, fill
from support.histories import edit, import_of, keep, made_id, picture, record
from support.household import PASSWORD, Household, household, let_in

from kindlehl import wire
from kindlehl.domain.errors import BusyError, KindlehlError, MovedError
from kindlehl.domain.facts import Fact, new_id
from kindlehl.ports import Library
from kindlehl.remote.server import Server
from kindlehl.services.sync.round import sync
from kindlehl.store.library import empty_library, open_library
from kindlehl.wire import messages
from kindlehl.wire.messages import Hello, Push, Pushed, Welcome
from kindlehl_server.accounts import Person
from kindlehl_server.routes import requests
from kindlehl_server.turns import HELD, Turns

HIS = [record("highlight", "Tale (Dickens, Charles)", f"His words {n}", n, 1, n % 30, False) for n in range(1, 50)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with household(tmp_path / "server") as made:
        yield made


@pytest.fixture
def ben(home: Household) -> Person:
    return home.needs.accounts.accept(home.needs.accounts.invite(home.owner), "Ben", PASSWORD)


@pytest.fixture
def mine() -> Iterator[Library]:
    with closing(empty_library()) as library:
        keep(library, *HIS, import_of(1, "clippings", HIS))
        yield library


def device(home: Household, person: Person, name: str = "Laptop") -> Server:
    return Server(home.url, let_in(home.needs, person, name))


def whole(connection: socket.socket) -> bytes:
    """An answer of the server's, with the problem that it names."""
    data = b""
    while b"}" not in data and (more := connection.recv(4096)):
        data += more
    return data


def pushed(server: Server, *said: Fact) -> Pushed:
    """What the server says to these."""
    welcome = server.ask(Hello((1, 1), 1))
    assert isinstance(welcome, Welcome)
    answer = server.ask(Push(welcome.epoch, [messages.Raw(wire.encode(fact).encode()) for fact in said]))
    assert isinstance(answer, Pushed)
    return answer


class Slow:
    """A request whose end is yet to come: let in when it began, and revoked or signed out since."""

    def __init__(self, url: str, words: str, body: bytes, head: str) -> None:
        address = urlsplit(url)
        assert address.hostname
        self._made = socket.create_connection((address.hostname, address.port or 0), 10)
        said = f"{words} HTTP/1.1\r\nHost: x\r\n{head}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._made.sendall(said.encode() + body[:2])
        self._rest = body[2:]
        time.sleep(0.5)

    def end(self) -> bytes:
        """Send the rest; the first line of the answer."""
        self._made.sendall(self._rest)
        return self.answer()

    def hang_up(self) -> None:
        """Say no more."""
        self._made.close()

    def answer(self) -> bytes:
        """Its first line."""
        with closing(self._made):
            return self._made.recv(4096).partition(b"\r\n")[0]


class TestOthers:
    """What one person does, another does not feel."""

    def test_whoever_keeps_the_server_busy_keeps_nobody_else_waiting(self, home: Household, ben: Person) -> None:
        """Thirty of Anna's pushes hang, because her library is locked; Ben's round takes as long as ever."""
        with closing(device(home, home.owner)) as anna, closing(device(home, ben)) as his:
            pushed(anna, HIS[0])
            told: list[KindlehlError] = []

            def push(number: int) -> None:
                with closing(Server(home.url, let_in(home.needs, home.owner, f"Device {number}"))) as server:
                    try:
                        pushed(server, HIS[number])
                    except KindlehlError as error:
                        told.append(error)

            threads = [threading.Thread(target=push, args=(number,)) for number in range(1, 31)]
            with closing(open_library(home.library)) as library, library.transaction():
                for thread in threads:
                    thread.start()
                time.sleep(1.0)
                began = time.monotonic()
                assert pushed(his, HIS[1]).refused == []
                assert time.monotonic() - began < 2.0
            for thread in threads:
                thread.join(60)
            assert {type(error) for error in told} <= {BusyError}
            with closing(open_library(home.library)) as library:
                assert len([*library.facts.bodies()]) >= 31 - len(told)

    def test_who_asks_for_too_much_at_once_is_told_to_wait(self) -> None:
        """And nobody else is."""

        async def crowd() -> list[str]:
            turns, over, told = Turns(at_once=2, waiting=3), asyncio.Event(), list[str]()

            async def work(who: str) -> None:
                try:
                    async with turns.turn(who):
                        await over.wait()
                        told.append(who)
                except BusyError as error:
                    told.append(f"busy for {error.retry_after} s")

            tasks = [asyncio.create_task(work("anna")) for _ in range(7)] + [asyncio.create_task(work("ben"))]
            await asyncio.sleep(0)
            over.set()
            await asyncio.gather(*tasks)
            return told

        assert sorted(asyncio.run(crowd())) == ["anna"] * 5 + ["ben"] + ["busy for 1.0 s"] * 2

    def test_who_sends_much_at_once_fills_no_more_than_his_share(self, home: Household, ben: Person) -> None:
        """Twenty messages of Anna's arrive as slowly as they can, and whatever is beyond her share is told to wait;
        Ben's is taken meanwhile, and hers again when they are gone."""
        token, blob = let_in(home.needs, home.owner, "Laptop"), b"x" * (messages.MESSAGE_BYTES - 1)
        with closing(device(home, ben)) as his, ExitStack() as opened:
            head, answers = f"Authorization: Bearer {token}", list[bytes]()
            for _ in range(20):
                address = urlsplit(home.url)
                made = opened.enter_context(socket.create_connection((address.hostname or "", address.port or 0), 10))
                said = f"POST /api/v1/sync HTTP/1.1\r\nHost: x\r\n{head}\r\nContent-Length: {len(blob) + 1}\r\n\r\n"
                with suppress(ConnectionError):  # whoever is sent away need not be heard to the end
                    made.sendall(said.encode() + blob)
                made.settimeout(0.5)
                try:
                    answers.append(made.recv(4096).partition(b"\r\n")[0])
                except TimeoutError:
                    answers.append(b"")
            share = HELD // messages.MESSAGE_BYTES
            assert answers == [b""] * share + [b"HTTP/1.1 503 Service Unavailable"] * (20 - share)
            assert pushed(his, HIS[1]).refused == []
        time.sleep(0.5)
        with closing(Server(home.url, token)) as server:
            assert pushed(server, HIS[0]).refused == []

    def test_facts_under_anothers_ids_reach_nobody_elses_library(
        self, home: Household, ben: Person, mine: Library
    ) -> None:
        """Whatever Ben sends, he sends to himself."""
        with closing(device(home, home.owner)) as anna, closing(device(home, ben)) as his:
            assert sync(mine, "server", anna.ask).equal
            before = picture(mine)
            deletion = edit(1_000, HIS[0].id, "deleted", True, covers=(HIS[0].id,))
            pushed(his, replace(deletion, device="Anna’s laptop"), edit(1, HIS[1].id, "note", "evil"))
            assert sync(mine, "server", anna.ask).equal
            assert picture(mine) == before


class TestMessages:
    """What is sent again, late, in parts, or in another order."""

    def test_replays_and_another_order_change_nothing(self, home: Household, mine: Library) -> None:
        """A thousand times, by several at once."""
        with closing(device(home, home.owner)) as server:
            assert sync(mine, "server", server.ask).equal
            bodies = [wire.encode(fact) for fact in HIS]
            welcome = server.ask(Hello((1, 1), 1))
            assert isinstance(welcome, Welcome)
            for run in range(20):
                some = [messages.Raw(body.encode()) for body in bodies[:: -1 if run % 2 else 1]]
                answer = server.ask(Push(welcome.epoch, some))
                assert isinstance(answer, Pushed)
                assert answer.head == answer.before == welcome.head
            with pytest.raises(MovedError):
                server.ask(Push("0", [messages.Raw(bodies[0].encode())]))
            assert sync(mine, "server", server.ask).equal

    def test_a_message_that_drips_is_cut_off(self, home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
        """It holds no thread meanwhile, and nothing of it is kept."""
        monkeypatch.setattr(requests, "PATIENCE", 0.5)
        token, address = let_in(home.needs, home.owner, "Laptop"), urlsplit(home.url)
        assert address.hostname
        with ExitStack() as opened:
            dripping = []
            for _ in range(60):
                made = opened.enter_context(socket.create_connection((address.hostname, address.port or 0), 10))
                head = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 999"
                made.sendall(f'POST /api/v1/sync HTTP/1.1\r\n{head}\r\n\r\n{{"say":'.encode())
                dripping.append(made)
            began = time.monotonic()
            assert httpx2.get(f"{home.url}/livez").text == "ok\n"
            assert time.monotonic() - began < 2
            answers = [whole(made) for made in dripping]
        assert all(answer.startswith(b"HTTP/1.1 400") and b"took too long" in answer for answer in answers)

    def test_who_hangs_up_in_the_middle_of_a_message_is_no_matter_for_the_log(
        self, home: Household, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """However many do so."""
        head = f"Authorization: Bearer {let_in(home.needs, home.owner, 'Laptop')}\r\nIdempotency-Key: {new_id()}"
        for words in ("POST /api/v1/sync", "POST /api/v1/highlights", "POST /api/v1/pairings", "POST /sign-in"):
            Slow(home.url, words, b"x" * 99, head).hang_up()
        time.sleep(0.5)
        assert capfd.readouterr().err == ""

    def test_a_million_wishes_in_one_message_are_too_many(self, home: Household) -> None:
        """Whatever they wish: what is taken fits a message, and a message has an end."""
        with closing(device(home, home.owner)) as server:
            for message in (b'{"say":"fetch","epoch":"0","ids":[' + b'"x",' * 600_000 + b'"x"]}',
                            b'{"say":"states","epoch":"0","buckets":[' + b'"00",' * 300_000 + b'"00"]}',
                            b"[" * 1_500_000):  # fmt: skip
                with pytest.raises(KindlehlError) as refused:
                    server._sent("POST", "/api/v1/sync", message)
                assert refused.value.code in ("invalid", "too_large")

    def test_nothing_private_is_in_an_error_of_the_server(self, home: Household) -> None:
        """Whatever was sent."""
        token = let_in(home.needs, home.owner, "Laptop")
        for body in (b'{"say":"push","epoch":"SECRET","facts":[{"type":"record","text":"SECRET"}]}', b"SECRET"):
            answer = httpx2.post(f"{home.url}/api/v1/sync", content=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code >= 400
            assert "SECRET" not in answer.text
            assert token not in answer.text


class TestDisks:
    """A disk that is full, on either side."""

    def test_a_server_whose_disk_is_full_says_so_and_loses_nothing(self, tmp_path: Path) -> None:
        """What it has acknowledged is there; the rest stays on the device and goes out when there is room."""
        person = Kindlehl(tmp_path / "laptop", {"KINDLEHL_WAIT": "1"})
        with disk(tmp_path / "small", "3m") as small, household(small / "server") as home:
            home.pair(person, "laptop")
            person.ok("import", SAMPLE)
            person.ok("sync")
            fill(small, 8_192)
            for n in range(12):
                person.ok("add", f"{n} " + "word " * 2_000, "--book", "Walden")
            done = person("sync")
            assert re.search("cannot read or write|disk is full", complaint(done, 1))
            assert str(tmp_path) not in done.err, "a device need not know where on the server that is"
            (small / "ballast").unlink()
            person.ok("sync")
            assert sorted(facts(home.library)) == sorted(facts(person.library))

    def test_a_device_whose_disk_is_full_says_so_and_gets_the_rest_later(self, tmp_path: Path) -> None:
        """Its library is as it was, or further."""
        other = Kindlehl(tmp_path / "other")
        with household(tmp_path / "server") as home, disk(tmp_path / "small", "3m") as small:
            home.pair(other, "other")
            other.ok("import", SAMPLE)
            other.ok("sync")
            person = Kindlehl(small / "laptop", {"KINDLEHL_WAIT": "1"})
            home.pair(person, "laptop")
            person.ok("sync")
            for n in range(12):
                other.ok("add", f"{n} " + "word " * 2_000, "--book", "Walden")
            other.ok("sync")
            fill(small, 8_192)
            assert re.search("Reading or writing .* failed|disk is full", complaint(person("sync"), 1))
            (small / "ballast").unlink()
            person.ok("sync")
            assert sorted(facts(home.library)) == sorted(facts(person.library))


class TestClocks:
    """A clock that is wrong."""

    def test_a_clock_that_is_a_year_off_is_told_and_loses_nothing(self, tmp_path: Path) -> None:
        """Of the two, the server's is taken for the right one."""
        person = Kindlehl(tmp_path / "laptop")
        for days, word in ((365, "8,760 h 0 min behind"), (-365, "8,760 h 0 min ahead of")):
            folder = tmp_path / f"server{days}"
            with household(folder, clock=lambda days=days: datetime.now(UTC) + timedelta(days=days)) as home:
                home.pair(person, "laptop")
                person.ok("import", SAMPLE)
                done = person("sync")
                assert done.code == 0
                assert f"This device's clock is {word} the server's." in done.err
                assert sorted(facts(home.library)) == sorted(facts(person.library))


def test_a_forged_device_is_shown_as_what_it_calls_itself_and_no_more(home: Household, tmp_path: Path) -> None:
    """A name commands no terminal, whoever wrote it."""
    person, evil = Kindlehl(tmp_path / "laptop"), "\x1b[2J\x1b]0;owned\x07Anna"
    home.pair(person, "laptop")
    person.ok("import", SAMPLE)
    person.ok("sync")
    id_ = person("list", "--json").json["items"][0]["id"]
    with closing(device(home, home.owner, evil)) as server:
        thoughts = [replace(edit(n, id_, "note", f"thought {n}"), device=evil) for n in (1_000, 1_001)]
        pushed(server, *thoughts, edit(3, made_id(3), "", 1))
    person("sync")
    for words in (("conflicts",), ("history", id_), ("devices", "list")):
        assert "\x1b" not in person.ok(*words)


def test_a_device_that_is_revoked_while_its_message_arrives_is_not_heard(home: Household) -> None:
    """What it sends is not kept, though it was let in when it began."""
    token, address = let_in(home.needs, home.owner, "Lost phone"), urlsplit(home.url)
    assert address.hostname
    with closing(Server(home.url, token)) as server:
        welcome = server.ask(Hello((1, 1), 1))
    assert isinstance(welcome, Welcome)
    message = messages.encode(Push(welcome.epoch, [messages.Raw(wire.encode(HIS[0]).encode())]))
    with closing(socket.create_connection((address.hostname, address.port or 0), 10)) as made:
        head = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(message)}"
        made.sendall(f"POST /api/v1/sync HTTP/1.1\r\n{head}\r\n\r\n".encode() + message[:20])
        time.sleep(0.5)
        (lost,) = home.needs.accounts.devices(home.owner.id)
        home.needs.accounts.revoke(home.owner.id, lost.id)
        made.sendall(message[20:])
        assert b"401" in whole(made)
    with closing(open_library(home.library)) as library:
        assert [*library.facts.bodies()] == []


class TestDoors:
    """Whoever is let in no more does nothing more, whatever he began before."""

    def test_a_device_that_is_revoked_ends_no_request_that_was_under_way(self, home: Household) -> None:
        """It drops no library, writes nothing, changes nothing and calls no device otherwise."""
        stolen, mine = (let_in(home.needs, home.owner, name) for name in ("Stolen", "Mine"))
        (kept, lost) = home.needs.accounts.devices(home.owner.id)
        hers = {"Authorization": f"Bearer {mine}"}
        path = f"{home.url}/api/v1/highlights"
        made = httpx2.post(path, headers=hers | {"Idempotency-Key": new_id()}, json={"text": "Hers", "title": "Emma"})
        place, tag = made.headers["Location"], made.headers["ETag"]
        change = f"Idempotency-Key: {new_id()}\r\nIf-Match: {tag}\r\nAuthorization: Bearer {stolen}"
        under_way = [
            Slow(home.url, words, body, head)
            for words, body, head in (
                ("POST /api/v1/refusal", b'{"refuse":3}', f"Authorization: Bearer {stolen}"),
                ("POST /api/v1/highlights", b'{"text":"evil","title":"Emma"}', change),
                (f"PATCH {place}", b'{"text":"evil"}', change),
                (f"DELETE {place}", b"{        }", change),
                (f"PATCH /api/v1/devices/{kept.id}", b'{"name":"evil"}', f"Authorization: Bearer {stolen}"),
            )
        ]
        home.needs.accounts.revoke(home.owner.id, lost.id)
        assert [request.end() for request in under_way] == [b"HTTP/1.1 401 Unauthorized"] * 5
        assert httpx2.get(home.url + place, headers=hers).headers["ETag"] == tag
        assert [each.name for each in home.needs.accounts.devices(home.owner.id)] == ["Mine"]
        with closing(open_library(home.library)) as library:
            assert not any(b"evil" in body.encode() for body in library.facts.bodies())

    def test_a_device_that_is_revoked_while_it_waits_for_its_turn_is_not_heard(self, home: Household) -> None:
        """What it asks for is looked at when its turn comes."""
        token = let_in(home.needs, home.owner, "Stolen")
        (lost,) = home.needs.accounts.devices(home.owner.id)
        head = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id()}
        answers: list[int] = []

        def add() -> None:
            new = {"text": "evil", "title": "Emma"}
            answers.append(httpx2.post(f"{home.url}/api/v1/highlights", headers=head, json=new, timeout=30).status_code)

        with pytest.MonkeyPatch.context() as patch:
            waited = threading.Event()
            turn = Turns.turn

            @asynccontextmanager
            async def late(self: Turns, owner: str) -> AsyncGenerator[None]:
                async with turn(self, owner):
                    waited.set()
                    await asyncio.sleep(0.5)
                    yield

            patch.setattr(Turns, "turn", late)
            thread = threading.Thread(target=add)
            thread.start()
            assert waited.wait(10)
            home.needs.accounts.revoke(home.owner.id, lost.id)
            thread.join()
        assert answers == [401]

    def test_whoever_is_not_let_in_has_nothing_buffered(self, home: Household) -> None:
        """He is sent away before he has said anything."""
        for path in ("highlights", "sync", "refusal"):
            head = f"Authorization: Bearer nobody\r\nIdempotency-Key: {new_id()}"
            request = Slow(home.url, f"POST /api/v1/{path}", b"x" * 999_999, head)
            assert request.answer() == b"HTTP/1.1 401 Unauthorized", path
