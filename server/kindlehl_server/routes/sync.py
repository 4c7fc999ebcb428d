"""Sync over plain HTTP: a question is a request, its answer the response.

Who asks is looked at before anything is read, and once more by the thread that acts: a message may take its time, and
its turn to come.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kindlehl.remote import computer
from kindlehl.services.sync import wishes
from kindlehl.services.sync.answering import Desk
from kindlehl.wire import messages
from kindlehl.wire.messages import Answer, Pushed, Question, Refuse, States, Wished
from kindlehl_server.needs import Needs
from kindlehl_server.routes import requests

_LIMIT = 4_096
_refuse = requests.decoder(Refuse)


@dataclass(frozen=True, slots=True)
class Sync:
    """Rounds, each question by itself."""

    needs: Needs

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route("/api/v1/sync", self.exchange, methods=["POST"]),
            Route("/api/v1/refusal", self.refuse, methods=["POST"]),
        ]

    async def exchange(self, request: Request) -> Response:
        """Read a message, no longer than one may be, and answer it. Whoever listens hears of what it brought."""
        began, hub, metrics = time.monotonic(), self.needs.hub, self.needs.metrics
        device = await requests.device(self.needs, request)
        with self.needs.room.of(device.owner) as take:
            said = await requests.message(request, messages.MESSAGE_BYTES, take)
            if (waited := hub.came(device.owner, device.id)) is not None:
                metrics.visible.observe(waited)
            async with self.needs.turns.turn(device.owner):
                answer = await run_in_threadpool(self._answer, requests.token(request), said)
        if isinstance(answer, Pushed):
            metrics.creates.observe(time.monotonic() - began)
            if answer.head != answer.before:
                hub.poke(device.owner, answer.head, device.id)
        elif isinstance(answer, States):
            metrics.healed.inc(answer.buckets)
        response = await run_in_threadpool(requests.answered, answer)
        if self.needs.computers.came(device.id, request.headers.get(computer.HEADER, "")[:64]):
            response.headers[computer.COPIED] = "1"
        return response

    def _answer(self, token: str, said: Callable[[], bytes]) -> Answer:
        question: Question = requests.decoded(messages.decode_question, said())
        device = self.needs.accounts.device(token)
        with self.needs.libraries.library(device.owner) as library:
            return Desk(library).answer(question, self.needs.now())

    async def refuse(self, request: Request) -> Response:
        """Keep nothing of something any more, from no device, or take it again. Whoever listens hears of it."""
        device = await requests.device(self.needs, request)
        asked = requests.decoded(_refuse, await requests.body(request, _LIMIT))
        async with self.needs.turns.turn(device.owner):
            wished, head = await run_in_threadpool(self._refuse, requests.token(request), asked)
        self.needs.hub.poke(device.owner, head, device.id)
        return requests.answered(wished)

    def _refuse(self, token: str, asked: Refuse) -> tuple[Wished, int]:
        device = self.needs.accounts.device(token)
        with self.needs.libraries.library(device.owner) as library:
            wish = wishes.change(library, asked.refuse, asked.take, self.needs.now())
            return Wished(wish.refuses, wish.wished), library.facts.head()
