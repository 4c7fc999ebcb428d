"""Sync over plain HTTP: a question is a request, its answer the response."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kindlehl.services.sync.answering import Desk
from kindlehl.wire import messages
from kindlehl_server.needs import Needs
from kindlehl_server.routes import requests


@dataclass(frozen=True, slots=True)
class Sync:
    """Rounds, each question by itself."""

    needs: Needs

    def routes(self) -> list[Route]:
        """All of it."""
        return [Route("/api/v1/sync", self.exchange, methods=["POST"])]

    async def exchange(self, request: Request) -> Response:
        """Read a message, no longer than one may be, and answer it."""
        token = requests.token(request)
        data = await requests.body(request, messages.MESSAGE_BYTES)
        return await run_in_threadpool(self._answered, token, data)

    def _answered(self, token: str, data: bytes) -> Response:
        device = self.needs.accounts.device(token)
        question = requests.decoded(messages.decode_question, data)
        with self.needs.libraries.library(device.owner) as library:
            return requests.answered(Desk(library).ask(question, self.needs.now()))
