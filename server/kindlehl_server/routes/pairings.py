"""Pairing, as a device sees it: it asks, shows a code, and asks again until it is let in."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kindlehl.wire.messages import Collect, Collected, Pair, Paired
from kindlehl_server.needs import Needs
from kindlehl_server.routes import requests

_LIMIT = 4_096
_pair = requests.decoder(Pair)
_collect = requests.decoder(Collect)


@dataclass(frozen=True, slots=True)
class Pairings:
    """Devices that want to be let in."""

    needs: Needs

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route("/api/v1/pairings", self.start, methods=["POST"]),
            Route("/api/v1/pairings/token", self.collect, methods=["POST"]),
        ]

    async def start(self, request: Request) -> Response:
        """A code for a device."""
        asked = requests.decoded(_pair, await requests.body(request, _LIMIT))
        address = requests.address(request)
        self.needs.limits.guess("pairing", address)
        started = await run_in_threadpool(self.needs.pairing.start, asked.device, address)
        return requests.answered(Paired(*started))

    async def collect(self, request: Request) -> Response:
        """A token, once somebody has agreed."""
        self.needs.limits.guess("collecting", requests.address(request))
        asked = requests.decoded(_collect, await requests.body(request, _LIMIT))
        return requests.answered(await run_in_threadpool(self._collected, asked.secret))

    def _collected(self, secret: str) -> Collected:
        token = self.needs.pairing.collect(secret)
        return Collected(token, self.needs.accounts.device(token).owner) if token else Collected(None)
