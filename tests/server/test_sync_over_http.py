"""The real client and the real server: rounds over HTTP, and everything that may come instead of an answer."""

import errno
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from unittest.mock import ANY
from urllib.parse import urlsplit

import msgspec
import pytest
import zstandard
from starlette.responses import Response
from support.histories import edit, import_of, made_id, picture, record
from support.household import let_in
from support.served import serving

from kindlehl import wire
from kindlehl.domain.errors import (
    DeniedError,
    KindlehlError,
    MovedError,
    OfflineError,
    RevokedError,
    UsageError,
    WireError,
)
from kindlehl.ports import Library
from kindlehl.remote import computer
from kindlehl.remote.server import Server
from kindlehl.services.sync.round import sync
from kindlehl.store.library import empty_library
from kindlehl.wire import messages
from kindlehl.wire.messages import Hello, Pull, Push
from kindlehl_server.accounts import Person
from kindlehl_server.app import create_app
from kindlehl_server.needs import Needs

HIS = [record("highlight", "Tale (Dickens, Charles)", f"His words {n}", n, 1, n % 30, False) for n in range(1, 400)]


@pytest.fixture
def server(url: str, token: str) -> Iterator[Server]:
    with closing(Server(url, token)) as server:
        yield server


@pytest.fixture
def mine() -> Iterator[Library]:
    with closing(empty_library()) as library:
        with library.transaction():
            library.facts.add([*HIS, import_of(1, "clippings", HIS)])
            library.shelf.settle()
        yield library


def raising(error: Exception) -> Callable[..., object]:
    """What fails with this, whatever it is asked for."""

    def call(*_: object, **__: object) -> object:
        raise error

    return call


def raw(url: str, data: bytes) -> bytes:
    """Say something to the server; what it answered before it hung up."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(data)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def post(token: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A request as bytes."""
    lines = [
        "POST /api/v1/sync HTTP/1.1", "Host: x", f"Authorization: Bearer {token}",
        f"Content-Length: {len(body) if length is None else length}", "Connection: close", *headers,
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class TestRounds:
    """What the contract of a round says, over a wire."""

    def test_three_libraries_become_equal(self, mine: Library, server: Server, needs: Needs, anna: Person) -> None:
        """And a fact travels as it is."""
        strange = f'{{"type": "star",  "id": "{made_id(70)}", "text": "\\u0041 é", "points": [1.50]}}'
        with mine.transaction():
            mine.facts.add_raw([strange])
        with closing(empty_library()) as other, needs.libraries.library(anna.id) as home:
            assert sync(mine, "home", server.ask).equal
            assert sync(other, "home", server.ask).equal
            assert picture(mine) == picture(other) == picture(home)
            assert strange in list(other.facts.bodies())
            with other.transaction():
                other.facts.add([edit(5, HIS[3].id, "note", "so true")])
                other.shelf.settle()
            assert sync(other, "home", server.ask).sent == 1
            assert sync(mine, "home", server.ask).received == 1
            assert picture(mine) == picture(other) == picture(home)

    def test_a_round_goes_on_where_the_server_was_stopped(
        self, mine: Library, needs: Needs, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In the middle of it."""
        monkeypatch.setattr(messages, "PAGE_FACTS", 100)
        with serving(create_app(needs)) as url, closing(Server(url, token)) as server:
            asked = 0

            def until_gone(question: messages.Question) -> messages.Answer:
                nonlocal asked
                asked += 1
                if asked > 2:
                    raise OfflineError("gone")
                return server.ask(question)

            with pytest.raises(OfflineError):
                sync(mine, "home", until_gone)
        with serving(create_app(needs)) as url, closing(Server(url, token)) as server:
            done = sync(mine, "home", server.ask)
            assert (done.equal, done.sent) == (True, 300)

    def test_nobody_sees_what_is_anothers(
        self, mine: Library, server: Server, url: str, pair: Callable[[Person, str], str], ben: Person
    ) -> None:
        """Each person has a library of his own."""
        sync(mine, "home", server.ask)
        with closing(empty_library()) as his, closing(Server(url, pair(ben, "Phone"))) as bens:
            assert sync(his, "home", bens.ask).received == 0
            answer = bens.ask(messages.Fetch(his.peers.progress("home").epoch, [HIS[0].id]))
            assert isinstance(answer, messages.Page)
            assert answer.facts == []


class TestCopies:
    """Two computers, of which one is a copy of the other."""

    def test_both_are_told_once_they_have_taken_turns(
        self, url: str, needs: Needs, anna: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each computer by its own start; one that starts anew is no copy, and a token of its own ends it."""
        token = let_in(needs, anna, "Laptop")

        def told(start: str, token: str = token) -> bool:
            (tmp_path / "boot_id").write_text(start)
            monkeypatch.setattr(computer, "_START", tmp_path / "boot_id")
            with closing(Server(url, token)) as server:
                server.ask(Hello((1, 1), 3))
                return server.copied

        assert [told(start) for start in ("1", "2", "2", "1", "1", "2")] == [False, False, False, True, False, True]
        other = let_in(needs, anna, "Copy")
        assert [told("2", other), told("1"), told("1"), told("2", other)] == [False, True, False, False]


class TestPairing:
    """As a device does it."""

    def test_a_device_is_let_in_when_its_owner_types_the_code(self, url: str, needs: Needs, anna: Person) -> None:
        """It asks again until then, and has its token once."""
        with closing(Server(url)) as stranger:
            paired = stranger.pair("Anna's laptop")
            assert stranger.collect(paired.secret) == messages.Collected(None)
            assert needs.pairing.approve(anna, paired.code) == ("Anna's laptop", "127.0.0.1")
            found = stranger.collect(paired.secret)
            assert found.person == anna.id
            with pytest.raises(DeniedError):
                stranger.collect(paired.secret)
        with closing(Server(url, found.token)) as server:
            assert isinstance(server.ask(Hello((1, 1), 3)), messages.Welcome)

    def test_a_device_that_was_signed_out_is_told_so(self, server: Server, needs: Needs, anna: Person) -> None:
        """At its next question, and nothing of its is lost."""
        server.ask(Hello((1, 1), 3))
        (device,) = needs.accounts.devices(anna.id)
        needs.accounts.revoke(anna.id, device.id)
        with pytest.raises(RevokedError) as told:
            server.ask(Hello((1, 1), 3))
        assert "kindlehl pair" in (told.value.hint or "")


class TestRefusal:
    """What is not let in, and what makes no sense."""

    @pytest.mark.parametrize("token", [None, "x", "khl_other"])
    def test_a_stranger_learns_nothing(self, url: str, token: str | None) -> None:
        """And is told what to do."""
        with closing(Server(url, token)) as server, pytest.raises(RevokedError) as told:
            server.ask(Hello((1, 1), 3))
        assert "kindlehl pair" in (told.value.hint or "")

    def test_an_error_of_the_server_is_the_same_error_here(self, server: Server) -> None:
        """Class, sentence and hint."""
        with pytest.raises(MovedError) as told:
            server.ask(Pull("e0", 0))
        assert told.value.hint == "Sync again."

    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            (b"", (), 400),
            (b"{}", (), 400),
            (b'{"say":"dance"}', (), 400),
            (b'{"say":"pull","epoch":"e1","cursor":-1}', (), 400),
            (b'{"say":"push","epoch":"e1","facts":' + b"[" * 100_000, (), 400),
            (b'{"say":"push","epoch":"e1","facts":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}", (), 400),
            (b'{"say":"push","epoch":"e1","facts":[{"type":"edit","id":"' + b"\xff" * 36 + b'"}]}', (), 400),
            (b"not packed", ("Content-Encoding: zstd",), 400),
            (b"x", ("Content-Encoding: br",), 400),
            (zstandard.ZstdCompressor().compress(b" " * 200_000_000), ("Content-Encoding: zstd",), 413),
            (b" " * (messages.MESSAGE_BYTES + 1), (), 413),
        ],
        ids=["nothing", "no question", "unknown", "a bad cursor", "deep", "deep and closed", "no text", "not packed",
             "packed otherwise", "a bomb", "too long"],
    )  # fmt: skip
    def test_nonsense_is_a_typed_error_and_changes_nothing(
        self, url: str, server: Server, token: str, body: bytes, headers: tuple[str, ...], status: int
    ) -> None:
        """A problem with a code and a sentence; the server goes on."""
        welcome = server.ask(Hello((1, 1), 3))
        assert isinstance(welcome, messages.Welcome)
        answer = raw(url, post(token, body.replace(b'"e1"', json.dumps(welcome.epoch).encode()), *headers))
        head, _, said = answer.partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"application/problem+json" in head
        problem = json.loads(said)
        assert problem["status"] == status
        assert problem["title"].endswith(".")
        assert problem["code"] in {"invalid", "too_large"}
        assert server.ask(Hello((1, 1), 3)) == msgspec.structs.replace(welcome, now=ANY)

    def test_half_a_message_changes_nothing(self, url: str, server: Server, token: str) -> None:
        """Whoever hangs up has said nothing."""
        welcome = server.ask(Hello((1, 1), 3))
        assert isinstance(welcome, messages.Welcome)
        whole = messages.encode(Push(welcome.epoch, [messages.Raw(wire.encode(HIS[0]).encode())]))
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(post(token, whole[: len(whole) // 2], length=len(whole)))
        assert server.ask(Hello((1, 1), 3)) == msgspec.structs.replace(welcome, now=ANY)


def saying(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Callable[..., object]:
    """An ASGI application that says one thing."""

    async def app(scope: dict[str, object], _: object, send: Callable[[dict[str, object]], object]) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})  # type: ignore[misc]
        await send({"type": "http.response.body", "body": body})  # type: ignore[misc]

    return app


class TestStrangers:
    """Whatever else may be behind an address."""

    @pytest.mark.parametrize(
        ("app", "kind"),
        [
            (saying(200, b"<html>Welcome to the hotel's WLAN"), WireError),
            (saying(200, b"{}"), WireError),
            (saying(200, b"x" * 10_000_000), WireError),
            (saying(200, zstandard.ZstdCompressor().compress(b" " * 200_000_000), (b"content-encoding", b"zstd")),
             WireError),
            (saying(200, b"x", (b"content-encoding", b"gzip")), WireError),
            (saying(301, b"", (b"location", b"http://127.0.0.1:9/")), WireError),
            (saying(404, b"nothing here"), WireError),
            (saying(500, b"Internal Server Error"), WireError),
            (saying(500, b"[" * 100_000), WireError),
            (saying(502, b"<html>Bad Gateway"), OfflineError),
            (saying(503, b"", (b"retry-after", b"7")), OfflineError),
        ],
        ids=["a page", "no answer", "too long", "a bomb", "packed otherwise", "moved", "not found", "an error", "deep",
             "gateway", "not ready"],
    )  # fmt: skip
    def test_is_told_in_a_sentence(self, mine: Library, app: Callable[..., object], kind: type[KindlehlError]) -> None:
        """Which names the server and nothing of what it said."""
        before = list(mine.facts.bodies())
        with serving(app) as url, closing(Server(url, "khl_x")) as server, pytest.raises(kind) as told:
            sync(mine, "home", server.ask)
        assert told.value.message.endswith(".")
        assert "WLAN" not in told.value.message + (told.value.hint or "")
        assert "khl_x" not in told.value.message + (told.value.hint or "")
        assert list(mine.facts.bodies()) == before

    def test_a_code_that_commands_a_terminal_is_none(self) -> None:
        """Nor is one that nobody would wait for."""
        for code, seconds in (("\x1b[2J\x07AAAA", 600), ("BCDF-GHJK" * 500, 600), ("BCDF-GHJK", 10**9)):
            paired = messages.encode(messages.Paired("khl_x", code, seconds, 3))

            async def app(scope: object, receive: object, send: Callable[..., object], said: bytes = paired) -> None:
                await Response(said, media_type="application/json")(scope, receive, send)  # type: ignore[arg-type]

            with serving(app) as url, closing(Server(url)) as server, pytest.raises(WireError):
                server.pair("Laptop")

    def test_how_long_to_wait_is_passed_on(self) -> None:
        """As `Retry-After` says it, in seconds."""
        for said, seconds in ((b"7", 7.0), (b"tomorrow", None), (b"9999999999", None)):
            app = saying(503, b"", (b"retry-after", said))
            with serving(app) as url, closing(Server(url, "khl_x")) as server, pytest.raises(OfflineError) as told:
                server.ask(Hello((1, 1), 3))
            assert told.value.retry_after == seconds

    def test_nobody_there_is_offline(self) -> None:
        """A port on which nobody listens."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with closing(Server(f"http://127.0.0.1:{port}", "khl_x")) as server, pytest.raises(OfflineError) as told:
            server.ask(Hello((1, 1), 3))
        assert told.value.message == f"127.0.0.1 cannot be reached (nothing listens on port {port})."

    def test_why_nothing_is_reached_is_said_as_far_as_it_is_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that there is not, and a server without HTTPS; never with what stands in the address. Behind a proxy
        nobody knows whose port or name it is."""
        why = {"http://nosuch.invalid": "there is no such name", "http://192.0.2.1:9": "no network leads there"}
        unreachable = OSError(errno.ENETUNREACH, "x")
        with serving(saying(200, b"")) as url:
            port = url.rpartition(":")[2]
            why[f"https://127.0.0.1:{port}"] = "it speaks no https"
            for address, words in why.items():
                with monkeypatch.context() as patched, closing(Server(address, "khl_x")) as server:
                    if words.startswith("no network"):
                        patched.setattr(socket, "create_connection", raising(unreachable))
                    elif words.startswith("there is no"):
                        patched.setattr(socket, "create_connection", raising(socket.gaierror(socket.EAI_NONAME, "x")))
                    with pytest.raises(OfflineError) as told:
                        server.ask(Hello((1, 1), 3))
                    assert told.value.message == f"{server.url.host} cannot be reached ({words})."
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{free.getsockname()[1]}")
        with closing(Server("http://books.example.org", "khl_x")) as server, pytest.raises(OfflineError) as told:
            server.ask(Hello((1, 1), 3))
        assert told.value.message == "books.example.org cannot be reached (no connection)."

    @pytest.mark.parametrize(
        "url",
        ["", "books", "ftp://books", "http://", "http://me:secret@books", "http://[", "http://x\n", "http://x?y",
         "http://h..x", "http://.", f"http://{'a' * 64}.org", "http://books:99999", "http://books:0"],
    )  # fmt: skip
    def test_what_is_no_address_is_said_to_be_none(self, url: str) -> None:
        """Before anything is sent, and without repeating what may hold a password."""
        with pytest.raises(UsageError) as told:
            Server(url, "khl_x")
        assert "secret" not in told.value.message
