"""Sync over plain HTTP: a question is a request, its answer the response."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kindlehl.domain.errors import KindlehlError, RevokedError, TooLargeError, WireError
from kindlehl.services.sync.answering import Desk
from kindlehl.wire import Malformed, messages, packing
from kindlehl_server.errors import problem


@dataclass(frozen=True, slots=True)
class SyncRoute:
    """`POST /api/v1/sync`."""

    desk: Callable[[str], AbstractContextManager[Desk]]
    """The library of whoever has this token. Raises RevokedError."""
    now: Callable[[], datetime]

    async def exchange(self, request: Request) -> Response:
        """Read a message, no longer than one may be, and answer it."""
        try:
            token = _token(request)
            data = await _body(request)
            return await run_in_threadpool(self._answered, token, data, request.headers.get("Content-Encoding"))
        except KindlehlError as error:
            return problem(error)

    def _answered(self, token: str, data: bytes, encoding: str | None) -> Response:
        with self.desk(token) as desk:
            try:
                question = messages.decode_question(packing.unpacked(data, encoding, messages.MESSAGE_BYTES))
            except (Malformed, RecursionError) as error:
                raise WireError("That is no question of the sync protocol.", hint="Update kindlehl.") from error
            answer = desk.ask(question, self.now())
        body, encoded = packing.packed(messages.encode(answer))
        headers = {"Cache-Control": "no-store"}
        if encoded is not None:
            headers["Content-Encoding"] = encoded
        return Response(body, 200, headers, "application/json")


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise RevokedError("This device is not paired with the server.", hint="Pair it: kindlehl pair URL")
    return token.strip()


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > messages.MESSAGE_BYTES:
            raise TooLargeError("A message is longer than what is taken.", hint="Send it in parts.")
    return bytes(data)
