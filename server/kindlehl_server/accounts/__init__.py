"""People, their devices, and how those are let in."""

from kindlehl_server.accounts.accounts import Accounts
from kindlehl_server.accounts.pairing import Pairing, Started
from kindlehl_server.accounts.people import Device, Person
from kindlehl_server.accounts.sessions import Sessions

__all__ = ["Accounts", "Device", "Pairing", "Person", "Sessions", "Started"]
