"""Somebody's devices, as one of them sees and changes them."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kindlehl.wire.messages import DeviceSeen, DevicesSeen, Rename
from kindlehl_server.needs import Needs
from kindlehl_server.routes import requests

_LIMIT = 4_096
_rename = requests.decoder(Rename)


@dataclass(frozen=True, slots=True)
class Devices:
    """Seeing, renaming, revoking them."""

    needs: Needs

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route("/api/v1/devices", self.all, methods=["GET"]),
            Route("/api/v1/devices/{id}", self.rename, methods=["PATCH"]),
            Route("/api/v1/devices/{id}", self.revoke, methods=["DELETE"]),
        ]

    async def all(self, request: Request) -> Response:
        """A list of them."""
        this = await requests.device(self.needs, request)
        devices = await run_in_threadpool(self.needs.accounts.devices, this.owner)
        return requests.answered(
            DevicesSeen([
                DeviceSeen(
                    each.id, each.name, each.created_at, each.used_at,
                    self.needs.hub.hears(this.owner, each.id), each.id == this.id,
                )
                for each in devices
            ])
        )  # fmt: skip

    async def rename(self, request: Request) -> Response:
        """Call one otherwise."""
        this = await requests.device(self.needs, request)
        asked = requests.decoded(_rename, await requests.body(request, _LIMIT))
        accounts, still = self.needs.accounts, self.needs.accounts.still(requests.token(request))
        await run_in_threadpool(accounts.rename, this.owner, request.path_params["id"], asked.name, still)
        return Response(status_code=204)

    async def revoke(self, request: Request) -> Response:
        """Let one in no more, from this moment on."""
        this = await requests.device(self.needs, request)
        id_, accounts = request.path_params["id"], self.needs.accounts
        await run_in_threadpool(accounts.revoke, this.owner, id_, accounts.still(requests.token(request)))
        self.needs.hub.dismiss(this.owner, id_)
        return Response(status_code=204)
