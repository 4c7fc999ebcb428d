"""Devices that listen: they hear when there is more, no later than it is there, and nobody waits for them."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from urllib.parse import urlsplit

import httpx2
import msgspec
import pytest
from support.histories import edit, import_of, made_id, record
from support.proxy import network
from support.waiting import until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from kindlehl import wire
from kindlehl.domain.errors import BusyError, KindlehlError, OfflineError, RevokedError, WireError
from kindlehl.domain.facts import Fact
from kindlehl.remote.listening import Socket, listening
from kindlehl.remote.server import Server
from kindlehl.wire import messages
from kindlehl.wire.messages import Hello, Push, Pushed, Welcome
from kindlehl_server import hub
from kindlehl_server.accounts import Person
from kindlehl_server.needs import Needs

MARKED = record("highlight", "Tale (Dickens, Charles)", "His words", 1, 1, 1, False)
Pair = Callable[[Person, str], str]


def pushed(url: str, token: str, *facts: Fact) -> int:
    """Send facts; returns how far the server is then."""
    with closing(Server(url, token)) as server:
        welcome = server.ask(Hello((1, 1), 1))
        assert isinstance(welcome, Welcome)
        answer = server.ask(Push(welcome.epoch, [messages.Raw(wire.encode(fact).encode()) for fact in facts]))
        assert isinstance(answer, Pushed)
        return answer.head


def note(number: int) -> Fact:
    return edit(number, MARKED.id, "note", f"thought {number}")


@pytest.fixture
def listen(url: str) -> Iterator[Callable[[str], Socket]]:
    """Opens sockets, and closes them at the end."""
    with ExitStack() as opened:
        yield lambda token: opened.enter_context(listening(httpx2.URL(url), token))


def raw(url: str, token: str, *protocols: str) -> AbstractContextManager[ClientConnection]:
    """A socket as somebody else's program would open it."""
    return connect(
        f"{url.replace('http', 'ws')}/api/v1/socket",
        additional_headers={"Authorization": f"Bearer {token}"},
        subprotocols=[Subprotocol(each) for each in protocols] or None,
    )


class TestHearing:
    """Whoever listens."""

    def test_a_push_is_heard_by_every_device_of_its_person_and_by_nobody_else(
        self, url: str, listen: Callable[[str], Socket], pair: Pair, anna: Person, ben: Person
    ) -> None:
        """The one that pushed hears it, too: it may hold another copy of the library."""
        tokens = [pair(anna, "Laptop"), pair(anna, "Tablet")]
        mine, others = [listen(token) for token in tokens], listen(pair(ben, "Phone"))
        pushed(url, tokens[0], MARKED, import_of(1, "clippings", [MARKED]))
        assert all(each.wait(5) for each in mine)
        assert not others.wait(0.3)

    def test_nothing_new_is_not_heard(self, url: str, listen: Callable[[str], Socket], token: str) -> None:
        """A push that comes again changes nothing."""
        pushed(url, token, MARKED)
        ears = listen(token)
        pushed(url, token, MARKED)
        assert not ears.wait(0.3)

    def test_of_many_pokes_the_last_is_heard(self, url: str, token: str) -> None:
        """It says how far the server is, in its own words and no more."""
        with raw(url, token, messages.SUBPROTOCOL) as ears:
            assert ears.subprotocol == messages.SUBPROTOCOL
            heads = [pushed(url, token, note(number)) for number in range(1, 30)]
            heard = 0
            while heard < heads[-1]:
                poke = msgspec.json.decode(ears.recv(5), type=messages.Poke)
                assert poke.head > heard
                heard = poke.head
            assert heard == heads[-1]

    def test_what_comes_over_rest_and_what_is_refused_is_heard(
        self, url: str, listen: Callable[[str], Socket], token: str
    ) -> None:
        """Every way in which a library changes."""
        ears = listen(token)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": made_id(7)}
        with httpx2.Client(base_url=url, headers=headers) as http:
            made = http.post("/api/v1/highlights", json={"text": "Typed in", "title": "Walden"})
        assert made.status_code == 201, made.text
        assert ears.wait(5)
        with closing(Server(url, token)) as server:
            server.wish(refuse=2)
        assert ears.wait(5)


class TestDoor:
    """Who may listen."""

    def test_a_token_is_needed(self, listen: Callable[[str], Socket]) -> None:
        """The refusal is the same as that of a request."""
        with pytest.raises(RevokedError, match="let in no more"):
            listen("khl_wrong")

    def test_the_protocol_is_needed(self, url: str, token: str) -> None:
        """Whoever asks for none, or another, does not know what he would hear."""
        for protocols in ((), ("kindlehl.v9",)):
            with pytest.raises(InvalidStatus) as refused, raw(url, token, *protocols):
                pytest.fail("it was let in")
            assert refused.value.response.status_code == 400

    def test_a_revoked_device_hears_no_more_at_once(
        self, url: str, listen: Callable[[str], Socket], pair: Pair, needs: Needs, anna: Person
    ) -> None:
        """Its own socket is closed, and says why; the others stay open."""
        lost, kept = pair(anna, "Lost phone"), pair(anna, "Laptop")
        ears, others = listen(lost), listen(kept)
        with closing(Server(url, kept)) as server:
            (gone,) = [each for each in server.devices().devices if each.name == "Lost phone"]
            assert gone.connected
            server.revoke(gone.id)
        began = time.monotonic()
        with pytest.raises(RevokedError, match="let in no more"):
            ears.wait(5)
        assert time.monotonic() - began < 2
        with pytest.raises(RevokedError):
            listen(lost)
        pushed(url, kept, MARKED)
        assert others.wait(5)

    def test_a_device_that_is_revoked_while_it_connects_is_not_let_in(
        self, url: str, needs: Needs, pair: Pair, anna: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between the look at its token and the open socket."""
        token = pair(anna, "Phone")
        real = needs.hub.listening

        def meanwhile(owner: str, device: str) -> object:
            needs.accounts.revoke(owner, device)
            return real(owner, device)

        monkeypatch.setattr(needs.hub, "listening", meanwhile)
        with pytest.raises(RevokedError), listening(httpx2.URL(url), token):
            pytest.fail("it was let in")

    def test_too_many_are_turned_away(
        self, url: str, listen: Callable[[str], Socket], token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of one person; who closes one can open another."""
        monkeypatch.setattr(hub, "SOCKETS", 2)
        with listening(httpx2.URL(url), token):
            listen(token)
            with pytest.raises(BusyError):
                listen(token)
        deadline = time.monotonic() + 5
        while True:
            try:
                listen(token)
                break
            except BusyError:
                assert time.monotonic() < deadline

    def test_whoever_talks_is_hung_up_on(self, url: str, token: str, needs: Needs) -> None:
        """Whatever is said."""
        for said in ("hello", b"\x00", "x" * 900):
            with raw(url, token, messages.SUBPROTOCOL) as ears:
                ears.send(said)
                with pytest.raises(ConnectionClosed) as closed:
                    ears.recv(5)
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1008
        until(lambda: len(needs.hub) == 0)


class TestPatience:
    """Whoever does not listen."""

    def test_sockets_that_nobody_reads_hold_up_nobody(
        self, url: str, token: str, listen: Callable[[str], Socket], needs: Needs
    ) -> None:
        """Fifty of them; a push is heard by who reads, as soon as ever."""
        with ExitStack() as stalled:
            for _ in range(50):
                stalled.enter_context(closing(deaf(url, token)))
            until(lambda: len(needs.hub) == 50)
            ears = listen(token)
            for number in range(1, 40):
                pushed(url, token, note(number))
                assert ears.wait(5)
        until(lambda: len(needs.hub) == 1)

    def test_a_server_that_stops_says_so(self, url: str, token: str, listen: Callable[[str], Socket]) -> None:
        """Its socket breaks, which is no reason to give up."""
        ears = listen(token)
        told: list[KindlehlError] = []

        def wait() -> None:
            try:
                ears.wait(10)
            except KindlehlError as error:
                told.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        ears._connection.socket.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        assert [type(error) for error in told] == [OfflineError]

    def test_whoever_is_no_kindlehl_server_has_no_socket(self, token: str) -> None:
        """What answers something else lets none through, and nothing that answers is offline."""
        with closing(socket.create_server(("127.0.0.1", 0))) as other:
            port = other.getsockname()[1]

            def answer() -> None:
                met, _ = other.accept()
                with met:
                    met.recv(4096)
                    met.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

            thread = threading.Thread(target=answer)
            thread.start()
            with pytest.raises(WireError), listening(httpx2.URL(f"http://127.0.0.1:{port}"), token):
                pytest.fail("it answered")
            thread.join(5)
        with pytest.raises(OfflineError), listening(httpx2.URL(f"http://127.0.0.1:{port}"), token):
            pytest.fail("it answered")


def deaf(url: str, token: str) -> socket.socket:
    """A socket that was opened and is never read."""
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    made = socket.create_connection((address.hostname, address.port))
    made.sendall(
        f"GET /api/v1/socket HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: {messages.SUBPROTOCOL}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    return made


def test_a_silence_is_found_out_and_told_once(
    url: str, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is raised, and nothing is logged besides: that would be a traceback on the terminal of whoever watches."""
    monkeypatch.setattr("kindlehl.remote.listening._ALIVE", 0.2)
    with network() as net:
        proxy = net.proxy(int(url.rpartition(":")[2]), random.Random(0))
        with listening(httpx2.URL(proxy.url), token) as ears:
            proxy.change("silent")
            with pytest.raises(OfflineError):
                ears.wait(10)
    assert caplog.records == []
