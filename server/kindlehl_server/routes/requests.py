"""Requests as they are read: who asks, and what, no longer than it may be."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.json import Decoder
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from kindlehl.domain.errors import TooLargeError, WireError
from kindlehl.wire import Malformed, messages, packing
from kindlehl_server.accounts import Device
from kindlehl_server.accounts.accounts import not_paired
from kindlehl_server.needs import Needs

PATIENCE = 60.0
"""Seconds for a message to arrive, however it drips."""
T = TypeVar("T", bound=Struct)


def token(request: HTTPConnection) -> str:
    """By which a device is let in. Raises RevokedError without one."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise not_paired()
    return secret.strip()


async def device(needs: Needs, request: HTTPConnection) -> Device:
    """The device that asks. Raises RevokedError."""
    return await run_in_threadpool(needs.accounts.device, token(request))


async def body(request: Request, limit: int) -> bytes:
    """What was sent, where that is short. Raises TooLargeError as soon as it is longer than that."""
    return (await message(request, limit, lambda _: None))()


async def message(request: Request, limit: int, take: Callable[[int], None]) -> Callable[[], bytes]:
    """What was sent, to be unpacked by the thread that reads it: until then it stays as short as it came. `take` is
    asked for room. Raises TooLargeError as soon as it is longer than that."""
    data = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                take(len(chunk))
                data += chunk
                if len(data) > limit:
                    raise TooLargeError("A message is longer than what is taken.", hint="Send it in parts.")
    except TimeoutError as error:
        raise WireError("The message took too long to arrive.", hint="Try again over a better line.") from error
    except ClientDisconnect as error:  # whoever hung up hears no answer
        raise WireError("The message broke off.", hint="Try again over a better line.") from error
    encoding = request.headers.get("Content-Encoding")
    return lambda: packing.unpacked(bytes(data), encoding, limit)


def decoded(decode: Callable[[bytes], T], data: bytes, hint: str = "Update kindlehl.") -> T:
    """What it says. Raises WireError, with this advice."""
    try:
        return decode(data)
    except (Malformed, UnicodeDecodeError, RecursionError) as error:
        raise unknown(hint) from error


def unknown(hint: str = "Update kindlehl.") -> WireError:
    """Something was said that is not understood here."""
    return WireError("That is no message the server knows.", hint=hint)


def address(request: HTTPConnection) -> str:
    """Where it came from."""
    return request.client.host if request.client else ""


def decoder(kind: type[T]) -> Callable[[bytes], T]:
    """How one kind of message is read."""
    return Decoder(kind).decode


def answered(message: Struct) -> Response:
    """A message as an answer, for nobody to keep."""
    data, encoding = packing.packed(messages.encode(message))
    headers = {"Cache-Control": "no-store"} | ({"Content-Encoding": encoding} if encoding else {})
    return Response(data, 200, headers, "application/json")
