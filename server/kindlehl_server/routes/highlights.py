"""One highlight over HTTP, for clients that are no replicas: add, read, change, delete."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kindlehl.wire.messages import MESSAGE_BYTES
from kindlehl_server.highlights import Change, New, Row, Rows
from kindlehl_server.needs import Needs
from kindlehl_server.routes import conditions, requests

T = TypeVar("T")
_PATH = "/api/v1/highlights"
_PRIVATE = {"Cache-Control": "private, no-store"}
_HINT = "Send JSON with no other fields than can be written, each of its own type."
_new = requests.decoder(New)
_change = requests.decoder(Change)


@dataclass(frozen=True, slots=True)
class Highlights:
    """A person's highlights, each by itself."""

    needs: Needs

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route(_PATH, self.add, methods=["POST"]),
            Route(f"{_PATH}/{{id}}", self.read, methods=["GET"]),
            Route(f"{_PATH}/{{id}}", self.change, methods=["PATCH"]),
            Route(f"{_PATH}/{{id}}", self.delete, methods=["DELETE"]),
        ]

    async def add(self, request: Request) -> Response:
        """Type in a passage."""
        token, key = requests.token(request), conditions.key(request)
        data = await requests.body(request, MESSAGE_BYTES)
        row = await self._of(token, lambda rows: rows.add(key, requests.decoded(_new, data, _HINT)))
        return _answered(row, 201, {"Location": f"{request.url.path}/{row.id}"})

    async def read(self, request: Request) -> Response:
        """A passage, unless whoever asks has it."""
        token, id_ = requests.token(request), request.path_params["id"]
        row = await self._of(token, lambda rows: rows.read(id_))
        if conditions.has(request, row.tag):
            return Response(None, 304, _PRIVATE | {"ETag": row.tag})
        return _answered(row)

    async def change(self, request: Request) -> Response:
        """Change fields of a passage."""
        token, id_ = requests.token(request), request.path_params["id"]
        key, read = conditions.key(request), conditions.read(request)
        data = await requests.body(request, MESSAGE_BYTES)
        return _answered(
            await self._of(token, lambda rows: rows.change(key, id_, read, requests.decoded(_change, data, _HINT)))
        )

    async def delete(self, request: Request) -> Response:
        """Put a passage into the trash."""
        token, id_ = requests.token(request), request.path_params["id"]
        key, read = conditions.key(request), conditions.read(request)
        await self._of(token, lambda rows: rows.delete(key, id_, read))
        return Response(None, 204, _PRIVATE)

    async def _of(self, token: str, act: Callable[[Rows], T]) -> T:
        """What becomes of the highlights of whoever has this token. Whoever listens hears of what changed."""
        began = time.monotonic()
        device = await run_in_threadpool(self.needs.accounts.device, token)

        def acted() -> tuple[T, int, int]:
            with self.needs.libraries.library(device.owner) as library:
                before = library.facts.head()
                done = act(Rows(library, device.name, self.needs.now))
                return done, before, library.facts.head()

        async with self.needs.turns.turn(device.owner):
            done, before, head = await run_in_threadpool(acted)
        if head != before:
            self.needs.metrics.creates.observe(time.monotonic() - began)
            self.needs.hub.poke(device.owner, head, "")
        return done


def _answered(row: Row, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(row.body, status, _PRIVATE | {"ETag": row.tag} | (headers or {}), "application/json")
