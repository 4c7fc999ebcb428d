"""`kindlehl serve`: the server runs until it is stopped."""

import errno
import ipaddress
import logging
import os
import socket
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

import typer

from kindlehl.cli import render
from kindlehl.domain.errors import UsageError
from kindlehl_server.commands import options
from kindlehl_server.settings import HOST, PORT, PREFIX

_GRACE = 10
"""Seconds for requests under way, once it is to stop."""
_SAID = 1 << 10
"""Bytes of one frame on a socket, where nothing is to be said."""
_ALIVE = 20.0
"""Seconds between two questions whether a socket's other end is there, and to the answer."""


def serve(
    host: Annotated[
        str,
        typer.Option(
            "--host",
            envvar=f"{PREFIX}HOST",
            show_envvar=False,
            metavar="ADDRESS",
            help="Address to listen on; 0.0.0.0: all.",
        ),
    ] = HOST,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            envvar=f"{PREFIX}PORT",
            show_envvar=False,
            metavar="NUMBER",
            min=0,
            max=65_535,
            help="0: any that is free.",
        ),
    ] = PORT,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar=f"{PREFIX}URL",
            show_envvar=False,
            show_default=False,
            metavar="URL",
            help="How others reach it, where a proxy stands before it.",
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            "--metrics",
            envvar=f"{PREFIX}METRICS",
            show_envvar=False,
            show_default=False,
            metavar="ADDRESS:PORT",
            help="Where Prometheus may ask how it goes; nowhere, unless said.",
        ),
    ] = None,
    data: options.Data = None,
    database: options.Database = None,
) -> None:
    """Run the sync server of a household, until Ctrl-C.

    It is reached from this computer alone, until --host says otherwise.

    Example: kindlehl serve --host 0.0.0.0
    """
    import uvicorn  # the help needs no server

    from kindlehl_server import connections, wiring
    from kindlehl_server.app import create_app

    if url is not None:
        _ensure_address(url)
    most, backlog = connections.bounds()
    with ExitStack() as held:
        bound = held.enter_context(listening(host, port, backlog))  # first: where that fails no database is made
        needs = held.enter_context(wiring.needs(options.settings(data, database)))
        if url:
            needs = replace(needs, url=url)
        if metrics:
            held.enter_context(needs.metrics.listening(metrics))
        where = url or _address(bound)
        terminal = render.Terminal()
        terminal.print(*render.told(terminal, f"Serving at {where}; Ctrl-C stops it.", whole=True))
        invitation = needs.accounts.first_invitation()
        if invitation:
            told = "Nobody is here yet. Whoever opens this first becomes the owner, once, within three days:"
            terminal.print(*render.told(terminal, told), f"  {where.rstrip('/')}/join#{invitation}")
        if not url and _is_of_this_computer(bound):
            told = "Only this computer reaches it. For others, too: kindlehl serve --host 0.0.0.0"
            terminal.print(*render.told(terminal, told))
        terminal.stream.flush()
        config = uvicorn.Config(
            create_app(needs), ws="websockets-sansio", ws_max_size=_SAID, ws_ping_interval=_ALIVE,
            ws_ping_timeout=_ALIVE, ws_per_message_deflate=False, http=connections.guarded(most), backlog=backlog,
            log_level="error", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=_GRACE,
        )  # fmt: skip
        logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
        uvicorn.Server(config).run([bound])


def listening(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens there. Raises UsageError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=backlog)
        # asyncio does so for a socket of its own making alone; connections have it from here. Without it the second
        # part of an answer waits until the first is acknowledged, which takes 40 ms.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound
    except OSError as error:
        why, hint = _why(error)
        raise UsageError(f"Nothing can listen on {host}, port {port}: {why}.", hint=hint) from error


def _why(error: OSError) -> tuple[str, str]:
    """Why nothing can listen somewhere, and what to do. What Python says of it says all of it twice."""
    here = "This computer alone: 127.0.0.1. The whole network: 0.0.0.0"
    if (error.errno or 0) < 0:  # said by whoever looks names up
        return "there is no such address", here
    match error.errno:
        case errno.EADDRINUSE:
            return "something listens there already", "Another server may; --port 0 takes any port that is free."
        case errno.EADDRNOTAVAIL:
            return "that is no address of this computer", here
        case errno.EACCES:
            return "that is not permitted", "Ports below 1024 are for the system; choose another: --port 8484"
        case _:
            return os.strerror(error.errno or 0), "Choose another: --port 0 takes any that is free."


def _ensure_address(url: str) -> None:
    """Raise UsageError for what no device could be paired with."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.query):
            return
    except ValueError:
        pass
    raise UsageError(
        "--url takes the whole address by which others reach the server.",
        hint="It looks like https://books.example.org",
    )


_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- what somebody asked for


def _address(bound: socket.socket) -> str:
    """By which it is reached from elsewhere, as far as this computer knows."""
    host, port = bound.getsockname()[:2]
    if host in _EVERYWHERE:
        host = _own_address(bound.family) or socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _own_address(family: int) -> str | None:
    """That of this computer in its network: from which it would send something away. Nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1" if family == socket.AF_INET else "2001:db8::1", 9))  # nobody's, by agreement
            return str(probe.getsockname()[0])
        except OSError:
            return None


def _is_of_this_computer(bound: socket.socket) -> bool:
    return ipaddress.ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback


_NOISE = ("Invalid HTTP request received.", "ASGI callable returned without completing handshake.")
"""What strangers, and devices that hang up, do to any server: no failure of ours."""


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return record.getMessage() not in _NOISE
