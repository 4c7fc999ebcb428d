"""A server behind a URL: questions go there over HTTP; answers, or what went wrong, come back."""

import errno
import ipaddress
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2
import msgspec
from httpx2 import URL, Client, HTTPError, InvalidURL, Limits, ReadTimeout, Response, Timeout

from kindlehl import __version__
from kindlehl.domain.errors import KindlehlError, OfflineError, RevokedError, UsageError, WireError, kind_of
from kindlehl.remote import computer
from kindlehl.wire import Malformed, messages, packing
from kindlehl.wire.messages import (
    Answer,
    Collect,
    Collected,
    DevicesSeen,
    Pair,
    Paired,
    Question,
    Refuse,
    Rename,
    Wished,
)

_TIMEOUT = Timeout(30.0, connect=10.0)
_WHOLE = 60.0
"""Seconds for a whole answer, however it drips."""
_CODE = re.compile(r"[B-Z]{4}-[B-Z]{4}")
_PATIENT = 86_400
"""Seconds that anybody waits for somebody to agree."""
_GREATEST_PORT = 65_535
_PASSING = frozenset((429, 502, 503, 504))
"""Statuses of whatever stands before a server: later it will do."""
KEPT = "Everything is kept here; sync again when it can."
_NO_HTTPS = "it speaks no https"
_UNPAIRED = "Nothing was paired. Is the server on? Is the address right?"
_AGAIN = "Is it on? Try again when it can be reached."
_PORT = 8484
"""Where a server listens unless it was told otherwise."""


T = TypeVar("T")


class Server:
    """A server by its address, and the token by which this device is let in. Nothing is retried here, and no
    redirection followed: a token goes to the address it was made for, and to no other."""

    def __init__(self, url: str, token: str | None = None, *, client: Client | None = None) -> None:
        self.url = _address(url)
        self.copied = False
        """Another computer comes under the same token: one of both is a copy."""
        self._base = str(self.url).rstrip("/")
        headers = {"User-Agent": f"kindlehl/{__version__}", "Accept-Encoding": packing.ENCODING}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
            headers[computer.HEADER] = computer.start(token)
        # Certificates take a while to load, and where nobody speaks TLS none is looked at.
        verify = self.url.scheme == "https" or bool(getproxies())
        try:
            self._client = client or Client(
                headers=headers, timeout=_TIMEOUT, follow_redirects=False, limits=Limits(max_connections=2),
                verify=verify,
            )  # fmt: skip
        except (ImportError, ValueError) as error:
            raise unknown_proxy() from error

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def ask(self, question: Question) -> Answer:
        """Put a question of the sync protocol. Raises OfflineError where there is no answer, and what the server raised
        where it failed."""
        data = self._sent("POST", "/api/v1/sync", messages.encode(question), otherwise=KEPT)
        answer: Answer = self._decoded(messages.decode_answer, data)
        return answer

    def pair(self, device: str) -> Paired:
        """Ask to be let in; the answer has a code, which the owner types where he is signed in."""
        try:
            data = self._sent("POST", "/api/v1/pairings", messages.encode(Pair(device)), otherwise=_UNPAIRED)
        except OfflineError as error:
            if _NO_HTTPS in error.message:
                error.hint = f"Nothing was paired. Did you mean {self.url.copy_with(scheme='http')}?"
            raise
        paired = self._decoded(msgspec.json.Decoder(Paired).decode, data)
        if not _CODE.fullmatch(paired.code) or paired.expires_in > _PATIENT or paired.interval > _PATIENT:
            raise _strange(self.url.host)  # a code is shown on a terminal, and nobody waits for ever
        return paired

    def collect(self, secret: str) -> Collected:
        """The token, once somebody has let this device in. Raises DeniedError where it waits in vain."""
        data = self._sent("POST", "/api/v1/pairings/token", messages.encode(Collect(secret)))
        return self._decoded(msgspec.json.Decoder(Collected).decode, data)

    def devices(self) -> DevicesSeen:
        """The devices of whoever this one is of."""
        return self._decoded(msgspec.json.Decoder(DevicesSeen).decode, self._sent("GET", "/api/v1/devices"))

    def rename(self, device: str, name: str) -> None:
        """Call one of them otherwise."""
        self._sent("PATCH", f"/api/v1/devices/{device}", messages.encode(Rename(name)))

    def revoke(self, device: str) -> None:
        """Let one of them in no more."""
        self._sent("DELETE", f"/api/v1/devices/{device}")

    def wish(self, *, refuse: int = 0, take: int = 0) -> Wished:
        """Have it keep nothing of one thing, and drop what it has of it; or take one again."""
        data = self._sent("POST", "/api/v1/refusal", messages.encode(Refuse(refuse, take)))
        return self._decoded(msgspec.json.Decoder(Wished).decode, data)

    def _sent(self, method: str, path: str, message: bytes = b"", *, otherwise: str = _AGAIN) -> bytes:
        """What is answered. `otherwise`: what to do where nothing is."""
        body, encoding = packing.packed(message)
        headers = {"Content-Type": "application/json"} | ({"Content-Encoding": encoding} if encoding else {})
        try:
            with self._client.stream(method, f"{self._base}{path}", content=body, headers=headers) as response:
                data = _read(response)
        except HTTPError as error:
            raise unreachable(self.url, error, otherwise) from error
        self.copied |= computer.COPIED in response.headers
        if response.status_code not in (200, 204):
            raise failure(self.url, response.status_code, response.headers.get("Retry-After"), data)
        return data

    def _decoded(self, decode: Callable[[bytes], T], data: bytes) -> T:
        try:
            return decode(data)
        except (Malformed, RecursionError) as error:
            raise _strange(self.url.host) from error


def _address(url: str) -> URL:
    if "://" not in url:
        raise _no_address(url)
    try:
        urlsplit(url)  # knows brackets that do not close
        address = httpx2.URL(url.rstrip("/"))
        address.host.encode("idna")  # as whoever looks it up will do
        if address.port is not None and not 0 < address.port <= _GREATEST_PORT:
            raise _no_address()
    except (InvalidURL, ValueError) as error:
        raise _no_address() from error
    more = address.userinfo or address.query or address.fragment
    if address.scheme not in ("http", "https") or not address.host or more:
        raise _no_address()
    return address


def unknown_proxy() -> UsageError:
    """The environment names a proxy that cannot be used."""
    return UsageError(
        "The proxy that this computer names is not understood.", hint="Look at ALL_PROXY, HTTP_PROXY and HTTPS_PROXY."
    )


def _no_address(typed: str = "") -> UsageError:
    meant = _meant(typed)
    return UsageError(
        "That is no address of a server.",
        hint=f"Did you mean {meant}?" if meant else "It looks like https://books.example.org",
    )


def _meant(typed: str) -> str | None:
    """The address of which somebody typed all but the scheme: at home a server has no certificate, elsewhere it has
    one. Nothing but host and port is repeated."""
    host, _, port = typed.strip().rstrip("/").partition(":")
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", host) or (port and not re.fullmatch(r"[1-9]\d{0,4}", port)):
        return None
    if port:
        return f"http://{host}:{port}"
    return f"http://{host}:{_PORT}" if _is_at_home(host) else f"https://{host}"


def _is_at_home(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".home", ".internal", ".fritz.box"))


def _read(response: Response) -> bytes:
    """What was answered, unpacked here and not by the client, which knows of no limit."""
    data, until = bytearray(), time.monotonic() + _WHOLE
    for chunk in response.iter_raw():
        data += chunk
        if len(data) > messages.MESSAGE_BYTES:
            raise _strange(response.url.host)
        if time.monotonic() > until:
            raise ReadTimeout("dripping")
    return packing.unpacked(bytes(data), response.headers.get("Content-Encoding"), messages.MESSAGE_BYTES)


def failure(url: URL, status: int, retry_after: str | None, data: bytes) -> KindlehlError:
    """What a status and an RFC 9457 problem say."""
    host = url.host
    try:
        problem: Any = json.loads(data)
        code, message, hint = str(problem["code"]), str(problem["title"]), problem.get("hint")
        if code == RevokedError.code:
            return let_go(url)
        return _raised(code, message, str(hint) if hint else None, _seconds(retry_after))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        if status in _PASSING:
            return _raised("offline", f"{host} is not ready.", None, _seconds(retry_after))
        return _strange(host)


def _seconds(said: str | None) -> float | None:
    """How long to wait, as `Retry-After` says."""
    return float(said) if said and said.isascii() and said.isdecimal() and len(said) < 6 else None


def _raised(code: str, message: str, hint: str | None, retry_after: float | None) -> KindlehlError:
    """The error that a server raised, as the same class."""
    error = kind_of(code)(message, hint=hint)
    error.retry_after = retry_after
    return error


def _strange(host: str) -> WireError:
    return WireError(
        f"{host} does not answer like a kindlehl server.", hint="Check the address, and what stands before it."
    )


def let_go(url: URL) -> RevokedError:
    """A device that was let in is not any more. A server does not know what it has forgotten: whether it was told to
    revoke the device or was emptied cannot be told from here."""
    return RevokedError(
        f"This device is let in no more by {url.host}.",
        hint="It was revoked there, or the server was emptied or replaced. What is here stays here. "
        f"To pair it again: kindlehl pair {url}",
    )


def unreachable(url: URL, error: BaseException, hint: str) -> OfflineError:
    """Why a server cannot be reached, in words; what a client says may hold an address with whatever was in it."""
    return OfflineError(f"{url.host} cannot be reached ({_why(url, error)}).", hint=hint)


def _why(url: URL, error: BaseException) -> str:
    kinds = {
        httpx2.ConnectTimeout: "no connection in time",
        httpx2.TimeoutException: "no answer in time",
        httpx2.ConnectError: "no connection",
        TimeoutError: "no connection in time",
        ConnectionRefusedError: "no connection",
        socket.gaierror: "no connection",
    }
    if not getproxies():  # else nobody knows whose name or port it is
        for cause in _causes(error):
            if words := _known(url, cause):
                return words
    return next((words for kind, words in kinds.items() if isinstance(error, kind)), "the connection broke")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _known(url: URL, cause: BaseException) -> str | None:
    """What the system says of a connection that there never was."""
    if isinstance(cause, ConnectionRefusedError):
        return f"nothing listens on port {url.port or (443 if url.scheme == 'https' else 80)}"
    if isinstance(cause, socket.gaierror):
        return "its name cannot be looked up now" if cause.errno == socket.EAI_AGAIN else "there is no such name"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "its certificate is not to be trusted"
    if isinstance(cause, ssl.SSLError) and "ALERT" not in (cause.reason or ""):
        return _NO_HTTPS
    if isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "no network leads there"
    return None
