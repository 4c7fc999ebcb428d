"""An enemy in the network who is nobody: what he can do to a server with connections alone."""

import asyncio
import re
import resource
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
import uvicorn
from support.cli import Kindlehl
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from kindlehl_server import connections
from kindlehl_server.connections import bounds, guarded


@contextmanager
def serving(folder: Path, files: int, **env: str) -> Iterator[tuple[str, int, Path]]:
    """`kindlehl serve`, which may open so many files; where it is, and what it logs."""
    log = folder / "log"
    folder.mkdir()

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, 64), files))

    with log.open("wb") as said:
        process: subprocess.Popen[bytes] = Kindlehl(folder, env).start(
            "serve", "--port", "0", stderr=said, before=few
        )  # fmt: skip
        with process:
            assert process.stdout
            found = re.search(r"http://([\d.]+):(\d+)", process.stdout.readline().decode())
            assert found
            try:
                yield found[1], int(found[2]), log
            finally:
                process.terminate()
                assert process.wait(20) is not None


def test_connections_that_say_nothing_keep_nobody_out_and_fill_no_log(tmp_path: Path) -> None:
    """More of them than the server may open files, each with half a request."""
    files = 300
    with serving(tmp_path / "server", files) as (host, port, log), ExitStack() as opened:
        for n in range(files + 100):
            made = opened.enter_context(socket.create_connection((host, port), 10))
            made.sendall(
                b"GET /livez HTTP/1.1\r\n" if n % 2 else b"POST /sign-in HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"
            )
            if n % 200 == 0:
                assert httpx2.get(f"http://{host}:{port}/livez", timeout=5).status_code == 200
        for _ in range(5):
            assert httpx2.get(f"http://{host}:{port}/readyz", timeout=5).status_code == 200
        assert log.read_bytes() == b""


def test_what_is_no_request_is_no_matter_for_the_log(tmp_path: Path) -> None:
    """However often it comes."""
    with serving(tmp_path / "server", 1_024) as (host, port, log):
        for _ in range(20):
            with socket.create_connection((host, port), 10) as made:
                made.sendall(b"\x16\x03\x01\x00\r\n\r\n")
                assert made.recv(4096).startswith(b"HTTP/1.1 400")
        assert log.read_bytes() == b""


def test_a_bound_is_raised_as_far_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the files stay for libraries, and no system is asked for more than is needed."""
    for soft, hard, raised, found in (
        (64, 100, 100, (50, 6)), (256, 1_024, 1_024, (512, 64)), (1_024, 1 << 20, 16_384, (2_048, 128)),
        (1 << 20, 1 << 20, None, (2_048, 128)), (1_024, resource.RLIM_INFINITY, 16_384, (2_048, 128)),
    ):  # fmt: skip
        asked: list[int] = []
        monkeypatch.setattr(resource, "getrlimit", lambda _, was=(soft, hard): was)
        monkeypatch.setattr(resource, "setrlimit", lambda _, now, asked=asked: asked.append(now[0]))
        assert bounds() == found
        assert asked == ([raised] if raised else [])
    monkeypatch.setattr(connections, "resource", None)
    assert bounds() == (2_048, 128)


class TestGuarded:
    """A server that takes five connections, each of which has half a second to say what it wants."""

    @pytest.fixture
    def address(self) -> Iterator[tuple[str, int]]:
        """Where it is. It answers when all of a request is there; /slow takes its time; a socket is refused."""

        async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
            if scope["type"] == "websocket":
                await send({"type": "websocket.close"})
                return
            more = scope["path"] != "/early"
            while more:
                more = (await receive()).get("more_body", False)
            if scope["path"] == "/slow":
                await asyncio.sleep(1.5)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="error", lifespan="off", http=guarded(5, 0.5), timeout_keep_alive=60)
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield server.servers[0].sockets[0].getsockname()
        finally:
            server.should_exit = True
            thread.join(10)

    def closed(self, made: socket.socket, within: float) -> bool:
        """Whether the server closes this connection by then."""
        made.settimeout(within)
        try:
            while made.recv(4096):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def test_who_says_nothing_is_left(self, address: tuple[str, int]) -> None:
        """Before a request, in the middle of its head, after an answer, and after one that came before its body."""
        for said in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
                     b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx"):  # fmt: skip
            with socket.create_connection(address) as made:
                made.sendall(said)
                assert self.closed(made, 2), said

    def test_who_drips_is_left(self, address: tuple[str, int]) -> None:
        """A byte now and then is no request."""
        with socket.create_connection(address) as made:
            began = time.monotonic()
            with pytest.raises(ConnectionError):  # noqa: PT012 -- whichever byte it is that nobody takes
                for byte in b"GET / HTTP/1.1\r\n" * 9:
                    made.sendall(bytes((byte,)))
                    time.sleep(0.1)
            assert time.monotonic() - began < 3

    def test_who_has_said_what_he_wants_is_answered_however_long_that_takes(self, address: tuple[str, int]) -> None:
        """As is a second request that came with the first, and a body that takes its time."""
        with socket.create_connection(address) as made:
            made.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            made.settimeout(4)
            heard = b""
            while heard.count(b"200 OK") < 2:
                more = made.recv(4096)
                assert more
                heard += more
        with socket.create_connection(address) as made:
            made.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx")
            time.sleep(1)
            made.sendall(b"x")
            assert b"200 OK" in made.recv(4096)

    def test_of_too_many_the_one_that_was_silent_for_longest_gives_way(self, address: tuple[str, int]) -> None:
        """Not those that are being answered; where all are, the new one is closed."""
        with ExitStack() as opened:
            slow = [opened.enter_context(socket.create_connection(address)) for _ in range(4)]
            for made in slow:
                made.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)
            silent = [opened.enter_context(socket.create_connection(address)) for _ in range(2)]
            assert self.closed(silent[0], 0.3)
            silent[1].sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)
            assert self.closed(opened.enter_context(socket.create_connection(address)), 0.3)
            for made in (*slow, silent[1]):
                made.settimeout(4)
                assert b"200 OK" in made.recv(4096)

    def test_a_socket_is_none_that_has_to_say_something(self, address: tuple[str, int]) -> None:
        """It is let in or refused."""
        with pytest.raises(InvalidStatus), connect(f"ws://{address[0]}:{address[1]}/"):
            pass


def test_a_proxy_on_another_machine_is_believed_when_it_is_named(tmp_path: Path) -> None:
    """And nobody else is: of two who come through it one may guess though the other did."""
    for trusted, statuses in (("127.0.0.1", [200]), ("192.0.2.7", [200, 429])):
        with serving(tmp_path / trusted, 1_024, FORWARDED_ALLOW_IPS=trusted) as (host, port, _):
            asked = [
                httpx2.post(
                    f"http://{host}:{port}/api/v1/pairings", json={"device": "x"},
                    headers={"X-Forwarded-For": f"198.51.100.{n}"},
                ).status_code
                for n in range(12)
            ]  # fmt: skip
            assert sorted({*asked}) == statuses
