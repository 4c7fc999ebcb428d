"""Which readers are plugged in and where their files are; one module an operating system, nothing is ever written."""

import getpass
import os
import sys

from kindlehl.devices import linux, macos, windows
from kindlehl.devices.device import Device, Transport

__all__ = ["Device", "Transport", "connected"]


def connected(platform: str = sys.platform) -> list[Device]:
    """The Kindles that can be seen now, in the order of their mount points; an empty list when there is none.

    A Kindle that is there and cannot be read is listed too, with an `obstacle` that says what to do. Never raises: what
    is not ours to read is passed over.
    """
    match platform:
        case "win32":
            return windows.connected()
        case "darwin":
            return macos.connected()
        case _:
            return linux.connected(user=_user(), uid=os.getuid())


def _user() -> str | None:
    """The name that desktops mount under; None for an account without one, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError until Python 3.12
        return None
