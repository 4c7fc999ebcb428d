"""What the server is made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kindlehl_server.accounts import Accounts, Pairing, Sessions
from kindlehl_server.hub import Hub
from kindlehl_server.limits import Limits
from kindlehl_server.metrics import Metrics
from kindlehl_server.ports import Libraries
from kindlehl_server.turns import Room, Turns


@dataclass(frozen=True, slots=True)
class Needs:
    """Its parts, as the routes use them."""

    accounts: Accounts
    sessions: Sessions
    pairing: Pairing
    libraries: Libraries
    now: Callable[[], datetime]
    ready: Callable[[], None]
    """Raises KindlehlError where the server cannot do its work."""
    url: str | None = None
    """How others reach it, where that is another address than its own."""
    hub: Hub = field(default_factory=Hub)
    turns: Turns = field(default_factory=Turns)
    room: Room = field(default_factory=Room)
    metrics: Metrics = field(default_factory=Metrics)
    limits: Limits = field(default_factory=Limits)
