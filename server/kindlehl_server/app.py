"""The server as a value: what it needs goes in, an ASGI application comes out, and its routes are one list."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from kindlehl.domain.errors import KindlehlError, NotFoundError
from kindlehl_server.errors import Boundary, problem
from kindlehl_server.needs import Needs
from kindlehl_server.routes.devices import Devices
from kindlehl_server.routes.health import Health
from kindlehl_server.routes.highlights import Highlights
from kindlehl_server.routes.pages import Pages, elsewhere, refused
from kindlehl_server.routes.pairings import Pairings
from kindlehl_server.routes.sockets import Sockets
from kindlehl_server.routes.sync import Sync
from kindlehl_server.web import root


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
    return Starlette(
        routes=routes,
        middleware=[Middleware(Boundary, answer=_answer)],
        exception_handlers={KindlehlError: _told, HTTPException: _nowhere},
    )


def _answer(request: Request, error: KindlehlError) -> Response:
    """What went wrong: a page for people, for programs as HTTP says it."""
    return refused(request, error) if _is_read_by_people(request) else problem(error)


async def _told(request: Request, error: Exception) -> Response:
    if not isinstance(error, KindlehlError):
        raise error
    return _answer(request, error)


async def _nowhere(request: Request, error: Exception) -> Response:
    """Where nothing is, or nothing that can be done so."""
    if not isinstance(error, HTTPException):
        raise error
    if not _is_read_by_people(request):
        return PlainTextResponse(error.detail, error.status_code, error.headers)
    if error.status_code == 405:
        return elsewhere(request)
    return refused(request, NotFoundError("There is no page at this address.", hint="It may have been mistyped."))


def _is_read_by_people(request: Request) -> bool:
    """Browsers say so themselves."""
    api = request.url.path.startswith(f"{root(request)}/api/")
    return not api and "text/html" in request.headers.get("Accept", "")
