"""A socket on which a server says when there is more."""

import logging
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from httpx2 import URL
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidProxy, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from kindlehl import __version__
from kindlehl.domain.errors import WireError
from kindlehl.remote.server import KEPT, failure, let_go, unknown_proxy, unreachable
from kindlehl.wire import messages

_PATIENCE = 10.0
"""Seconds for the socket to open."""
_FAREWELL = 2.0
"""Seconds for it to close: a server that does not answer is gone."""
_ALIVE = 20.0
"""Seconds between two questions whether the other end is there, and to the answer."""
_SAID = 1 << 10
"""Bytes of what a server may say at once."""
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.CRITICAL + 1)  # what goes wrong is raised; logged besides, it would be a traceback on a terminal


class Socket:
    """An open socket. What comes on it is only a reason to ask; what exactly it says does not matter."""

    def __init__(self, url: URL, connection: ClientConnection) -> None:
        self._url = url
        self._connection = connection

    def wait(self, seconds: float) -> bool:
        """Whether there is more, as soon as it is said; False after so long. Raises OfflineError where the connection
        broke, RevokedError where this device is let in no more."""
        try:
            self._connection.recv(seconds)
        except TimeoutError:
            return False
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code == messages.REVOKED:
                raise let_go(self._url) from error
            raise unreachable(self._url, error, KEPT) from error
        return True


@contextmanager
def listening(url: URL, token: str) -> Generator[Socket]:
    """A socket that stays open meanwhile. Raises WireError where something between us lets none through, OfflineError,
    and what the server has against it."""
    scheme = "wss" if url.scheme == "https" else "ws"
    with ExitStack() as opened:
        try:
            connection = opened.enter_context(
                connect(
                    f"{url.copy_with(scheme=scheme)}".rstrip("/") + "/api/v1/socket",
                    additional_headers={"Authorization": f"Bearer {token}"},
                    subprotocols=[Subprotocol(messages.SUBPROTOCOL)],
                    user_agent_header=f"kindlehl/{__version__}",
                    compression=None, proxy=True, open_timeout=_PATIENCE, close_timeout=_FAREWELL,
                    ping_interval=_ALIVE, ping_timeout=_ALIVE, max_size=_SAID, max_queue=4, logger=_LOG,
                )
            )  # fmt: skip
        except InvalidStatus as error:
            answer = error.response
            retry_after = answer.headers.get("Retry-After")
            raise failure(url, answer.status_code, retry_after, bytes(answer.body)) from error
        except InvalidHandshake as error:
            raise WireError(f"{url.host} lets no socket through.") from error
        except (ImportError, InvalidProxy) as error:
            raise unknown_proxy() from error
        except (OSError, WebSocketException) as error:
            raise unreachable(url, error, KEPT) from error
        yield Socket(url, connection)
