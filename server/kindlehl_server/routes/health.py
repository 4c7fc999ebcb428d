"""Whether the server lives, and whether it is ready: for whatever watches over it."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kindlehl.domain.errors import KindlehlError
from kindlehl_server.needs import Needs


@dataclass(frozen=True, slots=True)
class Health:
    """Two questions, each answered with a word."""

    needs: Needs

    def routes(self) -> list[Route]:
        """All of it."""
        return [Route("/livez", self.lives), Route("/readyz", self.is_ready)]

    async def lives(self, _: Request) -> Response:
        """It runs."""
        return _said("ok", 200)

    async def is_ready(self, _: Request) -> Response:
        """It can do its work: the database answers and is up to date, and there is room for more."""
        try:
            await run_in_threadpool(self.needs.ready)
        except KindlehlError as error:
            return _said(error.message, 503)
        return _said("ok", 200)


def _said(word: str, status: int) -> Response:
    return PlainTextResponse(f"{word}\n", status, {"Cache-Control": "no-store"})
