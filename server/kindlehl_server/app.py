"""The server as a value: what it needs goes in, an ASGI application comes out, and its routes are one list."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from kindlehl.domain.errors import KindlehlError
from kindlehl_server.errors import Boundary, problem
from kindlehl_server.needs import Needs
from kindlehl_server.routes.devices import Devices
from kindlehl_server.routes.health import Health
from kindlehl_server.routes.highlights import Highlights
from kindlehl_server.routes.pages import Pages
from kindlehl_server.routes.pairings import Pairings
from kindlehl_server.routes.sockets import Sockets
from kindlehl_server.routes.sync import Sync


def create_app(needs: Needs) -> Starlette:
    """The application."""
    routes = [
        *Sync(needs).routes(),
        *Sockets(needs).routes(),
        *Pairings(needs).routes(),
        *Devices(needs).routes(),
        *Highlights(needs).routes(),
        *Health(needs).routes(),
        *Pages(needs).routes(),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Boundary)], exception_handlers={KindlehlError: _told})


async def _told(_: Request, error: Exception) -> Response:
    """What went wrong, as HTTP says it."""
    if not isinstance(error, KindlehlError):
        raise error
    return problem(error)
