"""A socket on which a server says when there is more."""

from types import TracebackType

from httpx2 import URL
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from kindlehl import __version__
from kindlehl.domain.errors import OfflineError, RevokedError, WireError
from kindlehl.remote.server import failure
from kindlehl.wire import messages

_PATIENCE = 10.0
"""Seconds for the socket to open, and to close."""
_ALIVE = 20.0
"""Seconds between two questions whether the other end is there, and to the answer."""
_SAID = 1 << 10
"""Bytes of what a server may say at once."""


class Socket:
    """An open socket. What comes on it is only a reason to ask; what exactly it says does not matter."""

    def __init__(self, url: URL, token: str) -> None:
        scheme = "wss" if url.scheme == "https" else "ws"
        self._host = url.host
        try:
            self._connection: ClientConnection = connect(
                f"{url.copy_with(scheme=scheme)}".rstrip("/") + "/api/v1/socket",
                additional_headers={"Authorization": f"Bearer {token}"},
                subprotocols=[Subprotocol(messages.SUBPROTOCOL)],
                user_agent_header=f"kindlehl/{__version__}",
                compression=None, proxy=True, open_timeout=_PATIENCE, close_timeout=_PATIENCE,
                ping_interval=_ALIVE, ping_timeout=_ALIVE, max_size=_SAID, max_queue=4,
            )  # fmt: skip
        except InvalidStatus as error:
            answer = error.response
            raise failure(
                self._host, answer.status_code, answer.headers.get("Retry-After"), bytes(answer.body)
            ) from error
        except InvalidHandshake as error:
            raise WireError(f"{self._host} lets no socket through.") from error
        except (OSError, WebSocketException) as error:
            raise self._broken() from error

    def __enter__(self) -> "Socket":
        """It is closed at the end."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self._connection.close()

    def wait(self, seconds: float) -> bool:
        """Whether there is more, as soon as it is said; False after so long. Raises OfflineError where the connection
        broke, RevokedError where this device is let in no more."""
        try:
            self._connection.recv(seconds)
        except TimeoutError:
            return False
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code == messages.REVOKED:
                raise RevokedError(
                    "This device is not paired with the server any more.", hint="Pair it anew: kindlehl pair URL"
                ) from error
            raise self._broken() from error
        return True

    def _broken(self) -> OfflineError:
        return OfflineError(
            f"{self._host} cannot be reached (the connection broke).",
            hint="Everything is kept here; sync again when it can.",
        )
