"""What went wrong, as HTTP says it: a status for each meaning, and an RFC 9457 problem.

What the server is to blame for is logged: which kinds of error, where in our own code, and under which name, which
whoever is answered hears as well. Never what an error says: that may quote a statement, a value, somebody's words.
"""

import json
import logging
import math
import secrets
import traceback
from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kindlehl.domain.errors import KindlehlError

STATUS = {
    "usage": 400,
    "invalid": 400,
    "revoked": 401,
    "denied": 403,
    "not_found": 404,
    "conflict": 409,
    "moved": 409,
    "precondition_failed": 412,
    "too_large": 413,
    "key_reused": 422,
    "upgrade_required": 426,
    "too_often": 429,
    "precondition_required": 428,
    "busy": 503,
    "library": 507,
}
"""By `KindlehlError.code`; of whatever is not here the server is to blame."""


_log = logging.getLogger("kindlehl_server")
_OURS = ("kindlehl.", "kindlehl_server.")
_PLACES = 8
"""Lines of ours that are named of one error, the innermost ones."""


def blamed(error: KindlehlError) -> tuple[int, str | None]:
    """The status of an error; and the name of its entry in the log where the server is to blame, of which the hint says
    so. That it is busy is no failure: whoever waits knows."""
    status = STATUS.get(error.code, 500)
    if status < 500 or error.code == "busy":
        return status, None
    name = noted(error)
    error.hint = " ".join(filter(None, (f"The server's log says more: {name}.", error.hint)))
    return status, name


def noted(error: BaseException) -> str:
    """Write an error to the log; the name of the entry."""
    name = secrets.token_hex(4)
    _log.error("%s: %s", name, " from ".join(map(_told, _chain(error))))
    return name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException) -> str:
    """Its kind, what its library or the system calls it, and where that was."""
    names = (getattr(error, name, None) for name in ("sqlite_errorname", "sqlstate", "errno"))
    called = next((f" {name}" for name in names if name is not None), "")
    lines = [(frame.f_globals.get("__name__", ""), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    places = [f"{module}:{line}" for module, line in lines if module.startswith(_OURS)][-_PLACES:]
    return f"{type(error).__name__}{called} at {' '.join(places) or 'no line of ours'}"


def waiting(error: KindlehlError) -> dict[str, str]:
    """The header that says how long to wait, where that is known."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


def problem(error: KindlehlError) -> Response:
    """An error as an answer."""
    status, name = blamed(error)
    body = {"type": "about:blank", "title": error.message, "status": status, "code": error.code}
    if error.hint:
        body["hint"] = error.hint
    if name:
        body["instance"] = name
    headers = {"Cache-Control": "no-store", **waiting(error)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(body), status, headers, "application/problem+json")


class Boundary:
    """Round all routes: what nobody foresaw goes no further. Else whoever runs us would log what it says."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, KindlehlError], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one socket."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # noqa: BLE001 -- the last one that can keep its words to itself
            if begun or scope["type"] != "http":
                noted(error)  # the connection is closed, since nothing follows
                return
            failed = KindlehlError("The server failed.")
            failed.__cause__ = error
            await self._answer(Request(scope), failed)(scope, receive, send)
