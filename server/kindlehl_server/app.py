"""The server as a value: what it needs goes in, an ASGI application comes out, and its routes are one list."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.routing import Route

from kindlehl.services.sync.answering import Desk
from kindlehl_server.routes.sync import SyncRoute


@dataclass(frozen=True, slots=True)
class Needs:
    """What the server is made of."""

    desk: Callable[[str], AbstractContextManager[Desk]]
    """The library of whoever has this token. Raises RevokedError."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def create_app(needs: Needs) -> Starlette:
    """The application."""
    return Starlette(routes=[Route("/api/v1/sync", SyncRoute(needs.desk, needs.now).exchange, methods=["POST"])])
