"""Faults for a process to begin with, when this folder is on its PYTHONPATH: named in the variable FAULT."""

import os
import signal
import socket
import sqlite3
from typing import Any


def refuse(*_: Any, **__: Any) -> Any:
    """Nobody is called; whoever tries is found out, though he may be content without an answer."""
    os.write(2, b"somebody was called over the network\n")
    os._exit(99)


def bug(*_: Any, **__: Any) -> Any:
    """A bug of ours, with a reader's text in its message."""
    raise ZeroDivisionError("TXET TERCES"[::-1])  # a report shows lines of code


def interrupt(*_: Any, **__: Any) -> Any:
    """Ctrl-C, in the moment in which the library is opened."""
    os.kill(os.getpid(), signal.SIGINT)


match os.environ.get("FAULT", "").partition(":")[0]:
    case "network":
        socket.socket.connect = socket.getaddrinfo = refuse  # type: ignore[method-assign]
    case "bug":
        sqlite3.connect = bug
    case "interrupt":
        sqlite3.connect = interrupt
    case "points" | "kill":
        import crashing  # noqa: F401 -- its points are set when it is loaded
    case _:
        pass
