"""What a watcher of the server counts. No label holds a person, a device, a book or a word of anybody's."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from kindlehl.domain.errors import UsageError

STALLED = 60.0
"""Seconds after which a connected device that was told of more, and did not come for it, counts as stalled."""
_AFRESH = 60.0
"""Seconds for which a count that opens every library is good."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)


class Metrics:
    """Counters and gauges of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.creates = self._histogram("kindlehl_create_seconds", "From a push or a create to its answer.")
        self.visible = self._histogram(
            "kindlehl_visible_seconds",
            "From the moment that something is kept until a device that listens comes for it.",
        )
        self.healed = Counter(
            "kindlehl_healed_buckets", "Parts of libraries that were compared fact by fact.",
            registry=self.registry,
        )  # fmt: skip

    def _histogram(self, name: str, about: str) -> Histogram:
        return Histogram(name, about, buckets=_SECONDS, registry=self.registry)

    def gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """One more value, read whenever somebody asks."""
        Gauge(name, about, registry=self.registry).set_function(read)

    @contextmanager
    def listening(self, address: str) -> Generator[None]:
        """Answer on an address of its own, such as 127.0.0.1:9484. Raises UsageError."""
        host, _, port = address.rpartition(":")
        if not (host and port.isdecimal()):
            raise UsageError(f"{address} is no address.", hint="Write it like --metrics 127.0.0.1:9484")
        try:
            server, thread = start_http_server(int(port), host.strip("[]"), self.registry)
        except (OSError, OverflowError) as error:
            raise UsageError(f"Nothing can listen on {address}.", hint="Choose another port.") from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def rarely(count: Callable[[], float], now: Callable[[], float] = time.monotonic) -> Callable[[], float]:
    """A count that costs something, made no more than once a minute."""
    kept: tuple[float, float] | None = None

    def read() -> float:
        nonlocal kept
        if kept is None or now() - kept[0] >= _AFRESH:
            kept = now(), count()
        return kept[1]

    return read
