"""What the server is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kindlehl_server.accounts import Accounts, Pairing
from kindlehl_server.ports import Libraries


@dataclass(frozen=True, slots=True)
class Needs:
    """Its parts, as the routes use them."""

    accounts: Accounts
    pairing: Pairing
    libraries: Libraries
    now: Callable[[], datetime]
