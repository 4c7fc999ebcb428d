"""Sockets: a device that listens is told when there is more, and asks for it as it always does."""

import asyncio
from dataclasses import dataclass

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from kindlehl.domain.errors import KindlehlError
from kindlehl.wire import messages
from kindlehl_server.errors import problem
from kindlehl_server.hub import Listener
from kindlehl_server.needs import Needs
from kindlehl_server.routes import requests

PATIENCE = 20.0
"""Seconds in which a poke has to be on its way: who reads so slowly is better off asking anew."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """Devices that listen."""

    needs: Needs

    def routes(self) -> list[WebSocketRoute]:
        """All of it."""
        return [WebSocketRoute("/api/v1/socket", self.listen)]

    async def listen(self, socket: WebSocket) -> None:
        """Tell a device when there is more, until one of both goes."""
        try:
            if messages.SUBPROTOCOL not in socket.scope["subprotocols"]:
                raise requests.unknown()
            device = await requests.device(self.needs, socket)
            with self.needs.hub.listening(device.owner, device.id) as listener:
                # Once more: who is revoked from now on is dismissed, who was so before this is not let in.
                await requests.device(self.needs, socket)
                await socket.accept(messages.SUBPROTOCOL)
                await self._served(socket, listener)
        except KindlehlError as error:
            await socket.send_denial_response(problem(error))

    async def _served(self, socket: WebSocket, listener: Listener) -> None:
        told = asyncio.create_task(_tell(socket, listener))
        heard = asyncio.create_task(_hear(socket))
        try:
            await asyncio.wait((told, heard), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (told, heard):
                task.cancel()
            await asyncio.gather(told, heard, return_exceptions=True)


async def _tell(socket: WebSocket, listener: Listener) -> None:
    """Pokes; a device that was revoked is told so."""
    async for head in listener.heads():
        async with asyncio.timeout(PATIENCE):
            await socket.send_text(messages.encode(messages.Poke(head)).decode())
    await socket.close(messages.REVOKED, "revoked")


async def _hear(socket: WebSocket) -> None:
    """Nothing is to be said here; whoever does is not understood."""
    said = await socket.receive()
    if said["type"] == "websocket.receive":
        await socket.close(messages.NOT_UNDERSTOOD, "nothing is to be said here")
