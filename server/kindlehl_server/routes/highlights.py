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
from kindlehl_server.accounts import Device
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
        device, key = await requests.device(self.needs, request), conditions.key(request)
        row = await self._of(request, device, lambda rows, said: rows.add(key, requests.decoded(_new, said(), _HINT)))
        return _answered(row, 201, {"Location": f"{request.url.path}/{row.id}"})

    async def read(self, request: Request) -> Response:
        """A passage, unless whoever asks has it."""
        device, id_ = await requests.device(self.needs, request), request.path_params["id"]
        row = await self._of(request, device, lambda rows, _: rows.read(id_))
        if conditions.has(request, row.tag):
            return Response(None, 304, _PRIVATE | {"ETag": row.tag})
        return _answered(row)

    async def change(self, request: Request) -> Response:
        """Change fields of a passage."""
        device, id_ = await requests.device(self.needs, request), request.path_params["id"]
        key, read = conditions.key(request), conditions.read(request)

        def change(rows: Rows, said: Callable[[], bytes]) -> Row:
            return rows.change(key, id_, read, requests.decoded(_change, said(), _HINT))

        return _answered(await self._of(request, device, change))

    async def delete(self, request: Request) -> Response:
        """Put a passage into the trash."""
        device, id_ = await requests.device(self.needs, request), request.path_params["id"]
        key, read = conditions.key(request), conditions.read(request)
        await self._of(request, device, lambda rows, _: rows.delete(key, id_, read))
        return Response(None, 204, _PRIVATE)

    async def _of(self, request: Request, device: Device, act: Callable[[Rows, Callable[[], bytes]], T]) -> T:
        """What becomes of the highlights of somebody with one of his devices by what it says. Whoever listens hears of
        what changed."""
        began = time.monotonic()

        def acted(said: Callable[[], bytes]) -> tuple[T, int, int]:
            # Once more: what was said may have taken its time, and its turn to come.
            device = self.needs.accounts.device(requests.token(request))
            with self.needs.libraries.library(device.owner) as library:
                before = library.facts.head()
                done = act(Rows(library, device.name, self.needs.now), said)
                return done, before, library.facts.head()

        with self.needs.room.of(device.owner) as take:
            said = await requests.message(request, MESSAGE_BYTES, take)
            async with self.needs.turns.turn(device.owner):
                done, before, head = await run_in_threadpool(acted, said)
        if head != before:
            self.needs.metrics.creates.observe(time.monotonic() - began)
            self.needs.hub.poke(device.owner, head, "")
        return done


def _answered(row: Row, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(row.body, status, _PRIVATE | {"ETag": row.tag} | (headers or {}), "application/json")
