"""A library behind a URL, and how this device is let in there."""

from kindlehl.remote.server import Server

__all__ = ["Server"]
