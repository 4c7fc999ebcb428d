"""`kindlehl serve`: the server runs until it is stopped."""

import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer

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

    most, backlog = connections.bounds()
    with ExitStack() as held:
        needs = held.enter_context(wiring.needs(options.settings(data, database)))
        if url:
            needs = replace(needs, url=url)
        bound = held.enter_context(listening(host, port, backlog))
        if metrics:
            held.enter_context(needs.metrics.listening(metrics))
        where = url or _address(bound)
        sys.stdout.write(f"Serving at {where}; Ctrl-C stops it.\n")
        invitation = needs.accounts.first_invitation()
        if invitation:
            sys.stdout.write(
                "Nobody is here yet. Whoever opens this first becomes the owner, once, within three days:\n"
                f"  {where.rstrip('/')}/join#{invitation}\n"
            )
        sys.stdout.flush()
        config = uvicorn.Config(
            create_app(needs), ws="websockets-sansio", ws_max_size=_SAID, ws_ping_interval=_ALIVE,
            ws_ping_timeout=_ALIVE, ws_per_message_deflate=False, http=connections.guarded(most), backlog=backlog,
            log_level="error", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=_GRACE,
        )  # fmt: skip
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
        raise UsageError(
            f"Nothing can listen on {host}, port {port}: {error.strerror or 'no such address'}.",
            hint="Another server may; choose another: --port 0 takes any that is free.",
        ) from error


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- what somebody asked for
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
